import type { Api } from '#test/support/client.ts'
import { takesJson } from './contract.ts'

/**
 * Lets pass what cannot write: safe methods, and what every instance must refuse: an unsafe method without a
 * credential, or a text where the contract has JSON.
 *
 * @param headers those that go with every request of `api`
 * @param json where every instance takes a JSON body only, and so refuses a text before it does anything
 */
export function harmless(api: Api, headers: Readonly<Record<string, string>>, json = takesJson): Api {
  return function harmlessApi(path, request = {}) {
    const { method = 'json' in request || 'body' in request ? 'POST' : 'GET' } = request
    const all = new Headers({ ...headers, ...request.headers })
    const anonymous = !all.has('authorization') && !all.has('cookie')
    const text = json.includes(path) && !('json' in request) && all.get('content-type') === 'text/plain'
    if (['GET', 'HEAD', 'OPTIONS'].includes(method) || anonymous || text) return api(path, request)
    throw new Error(`${method} ${path} could write: a live-safe test may not send it`)
  }
}
