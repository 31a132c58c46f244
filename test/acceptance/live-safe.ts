import type { Api } from '#test/support/client.ts'

/** Marks a test that writes nothing: `test('…', liveSafe, …)`. Its clients refuse to send what could write. */
export const liveSafe = { tags: ['live-safe'] }

/**
 * Lets pass what cannot write: safe methods, and what every instance must refuse: an unsafe method without a
 * credential, or an order in a type that is none of the contract's.
 *
 * @param headers those that go with every request of `api`
 */
export function harmless(api: Api, headers: Readonly<Record<string, string>>): Api {
  return function harmlessApi(path, request = {}) {
    const { method = 'json' in request || 'body' in request ? 'POST' : 'GET' } = request
    const all = new Headers({ ...headers, ...request.headers })
    const anonymous = !all.has('authorization') && !all.has('cookie')
    const noOrder = path === '/orders' && !('json' in request) && all.get('content-type') === 'text/plain'
    if (['GET', 'HEAD', 'OPTIONS'].includes(method) || anonymous || noOrder) return api(path, request)
    throw new Error(`${method} ${path} could write: a live-safe test may not send it`)
  }
}
