import { setTimeout as pause } from 'node:timers/promises'
import { defineRoute, handle, handlePlain, json, Problem, sendStream, statusProblems, z } from '#runtime'

const open = { method: 'get', security: 'public' } as const
const Thing = z.object({ a: z.int() })

/** Anything may be thrown, and not all of it lets itself be read. */
const thrown: Record<string, () => unknown> = {
  undefined: () => undefined,
  proxy: () =>
    new Proxy(new Error('hunter2'), {
      getPrototypeOf() {
        throw new Error('hunter2')
      },
    }),
  ...Object.fromEntries(
    ['message', 'name', 'stack', 'cause'].map((name) => [
      name,
      () =>
        Object.defineProperty(new Error('hunter2'), name, {
          get() {
            throw new Error('hunter2')
          },
        }),
    ]),
  ),
}

/** The kinds of what is thrown. */
export const kindsThrown = Object.keys(thrown)

const framing = { 'Transfer-Encoding': 'chunked', Trailer: 'X-A', 'content-length': '3' }

const framed = defineRoute({
  ...open,
  path: '/odd/framed',
  operationId: 'showFramed',
  summary: 'Say how the response is framed',
  responses: { 200: json('A thing', Thing) },
})
const decoded = defineRoute({ ...framed, path: '/odd/decoded', operationId: 'showDecoded' })
const replaced = defineRoute({ ...framed, path: '/odd/replaced', operationId: 'showReplaced' })
const forgotten = defineRoute({
  ...framed,
  method: 'post',
  security: 'authenticated',
  idempotent: true,
  path: '/odd/forgotten',
  operationId: 'forget',
})

/** Handlers that do what nobody should, and some do. */
export function odd() {
  return [
    handle(framed, (c) => c.json({ a: 1 }, 200, framing)),
    // as `fetch` leaves it: the body is decoded, and its headers still say how it was encoded
    handle(decoded, () => Response.json({ a: 1 }, { headers: { 'Content-Encoding': 'gzip' } }) as never),
    handle(replaced, (c) => {
      c.res = new Response('<p>hunter2', { headers: { 'Content-Type': 'text/html' } })
      return c.json({ a: 1 }, 200)
    }),
    handle(forgotten, () => undefined as never),
    handlePlain({ ...open, path: '/odd/not-found' }, (c) => c.notFound() as never),
    handlePlain({ ...open, path: '/odd/framed-text' }, () => {
      const { 'Transfer-Encoding': encoding, Trailer } = framing
      return new Response('abc', { headers: { 'Transfer-Encoding': encoding, Trailer } })
    }),
    handlePlain(
      { ...open, path: '/odd/framed-nothing' },
      () => new Response(null, { status: 204, headers: { 'Transfer-Encoding': 'chunked' } }),
    ),
    handlePlain({ ...open, path: '/odd/problem' }, () => {
      const headers = { ...framing, 'content-type': 'text/html', 'cache-control': 'public' }
      throw new Problem(statusProblems.GONE, { headers })
    }),
    handlePlain({ ...open, path: '/odd/no-header' }, () => {
      throw new Problem(statusProblems.GONE, { headers: { 'Retry-After': undefined as never } })
    }),
    handlePlain({ ...open, path: '/odd/throws/:kind' }, (c) => {
      throw thrown[c.req.param('kind') ?? '']?.()
    }),
    handlePlain({ ...open, path: '/odd/breaks/:kind' }, (c) => {
      async function* source() {
        yield 'begun\n'
        await pause(5)
        throw thrown[c.req.param('kind') ?? '']?.()
      }
      return sendStream(c, 'text/plain', source())
    }),
  ]
}
