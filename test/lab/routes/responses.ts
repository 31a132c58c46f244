import { basicAuth } from 'hono/basic-auth'
import { bearerAuth } from 'hono/bearer-auth'
import { setCookie } from 'hono/cookie'
import { csrf } from 'hono/csrf'
import { HTTPException } from 'hono/http-exception'
import { timeout } from 'hono/timeout'
import { defineRoute, handle, handlePlain, json, location, sendStream, statusProblems, z } from '#runtime'

const open = { method: 'get', security: 'public' } as const
const Made = z.object({ id: z.string() })

/** Each makes a response that HTTP cannot carry. */
const wrong: Record<string, (path: string) => Response> = {
  location: (path) => new Response(null, { status: 201, headers: { Location: `${path}/東京` } }),
  control: () => new Response('x', { headers: { ETag: '"\u0001"' } }),
  break: () => new Response('x', { headers: { 'X-A': 'a\r\nX-B: b' } }),
  nul: () => new Response('x', { headers: { 'X-A': 'a\0b' } }),
  name: () => new Response('x', { headers: { 'X A': 'a' } }),
  'status-99': () => new Response('x', { status: 99 }),
  'status-101': () => new Response(null, { status: 101 }),
  'status-1000': () => new Response('x', { status: 1000 }),
  'too-long': () => new Response('x', { headers: { 'Content-Length': '5' } }),
  'too-short': () => new Response('xyz', { headers: { 'Content-Length': '1' } }),
  'length-of-nothing': () => new Response(null, { headers: { 'Content-Length': '5' } }),
  'body-of-204': () => new Response('x', { status: 204 }),
  'body-of-304': () => new Response('x', { status: 304 }),
}

const middlewares = {
  basic: basicAuth({ username: 'ada', password: 'lovelace' }),
  bearer: bearerAuth({ token: 'secret' }),
  csrf: csrf({ origin: 'https://shop.example' }),
  timeout: timeout(1),
}

/** Shops and their parcels, whose paths need encoding: an idempotent POST. */
const make = defineRoute({
  method: 'post',
  path: '/shops/{shop}/parcels',
  operationId: 'makeParcel',
  summary: 'Make a parcel',
  security: 'authenticated',
  idempotent: true,
  request: { params: z.object({ shop: z.string() }) },
  responses: { 201: json('Made', Made, { Location: 'Where' }) },
})

const keep = ['pdf', 'see-other', 'nothing', 'large', 'stream', 'bad-header', 'cookie', 'conflict'] as const
const kept = defineRoute({
  method: 'post',
  path: '/kept/{kind}',
  operationId: 'keep',
  summary: 'Answer with what is kept for a retry',
  security: 'authenticated',
  idempotent: true,
  request: { params: z.object({ kind: z.enum(keep) }) },
  responses: {
    200: { description: 'Bytes', content: { 'application/pdf': { schema: z.string() } } },
    204: { description: 'Nothing' },
    303: { description: 'Elsewhere' },
  },
  problems: [statusProblems.CONFLICT],
})

/** Responses that cannot be written, those that are kept for a retry, and those of Hono's own middleware. */
export function responses() {
  let calls = 0
  return [
    handle(make, (c) => c.json({ id: 'a/b' }, 201, { Location: location(c, 'a/b') })),
    handle(kept, (c) => {
      calls++
      const { kind } = c.req.valid('param')
      const headers = {
        'Content-Type': 'application/pdf',
        'Content-Disposition': 'attachment; filename="a.pdf"',
      }
      const calledSo = { ...headers, 'X-Call': String(calls) }
      if (kind === 'see-other') return c.redirect(`/kept/${calls}`, 303)
      if (kind === 'nothing') return c.body(null, 204)
      if (kind === 'conflict') throw new HTTPException(409, { message: 'It is taken' })
      if (kind === 'stream') return sendStream(c, 'application/pdf', endless())
      if (kind === 'large') return c.body(new Uint8Array(2 ** 20 + 1), 200, headers)
      if (kind === 'bad-header') return c.body('x', 200, { ...headers, ETag: '"\u0007"' })
      if (kind === 'cookie') setCookie(c, 'session', 'secret')
      return c.body(
        Uint8Array.from({ length: 512 }, (_none, index) => index),
        200,
        calledSo,
      )
    }),
    handlePlain({ ...open, path: '/wrong/json' }, (c) => c.json({}, 200, { ETag: '"\u0001"' })),
    handlePlain({ ...open, path: '/wrong/touched' }, (c) => {
      c.header('X-A', 'a\u007f')
      return c.json({})
    }),
    handlePlain({ ...open, path: '/wrong/:kind' }, (c) => {
      const response = wrong[c.req.param('kind') ?? '']?.(c.req.path)
      return response ?? c.notFound()
    }),
    handlePlain({ ...open, path: '/elsewhere' }, (c) => c.redirect('/東京')),
    handlePlain({ ...open, path: '/cookies' }, (c) => {
      setCookie(c, 'a', '東京; x')
      setCookie(c, 'b', '2')
      return c.text('set')
    }),
    handlePlain({ ...open, path: '/throws/:status' }, (c) => {
      const res = new Response('a body of its own', { headers: { 'Retry-After': '7', 'X-Mine': 'yes' } })
      throw new HTTPException(Number(c.req.param('status')) as 418, { message: 'Because.', res })
    }),
    ...Object.entries(middlewares).map(([name, middleware]) =>
      handlePlain(
        { method: name === 'csrf' ? 'post' : 'get', path: `/hono/${name}`, security: 'public' },
        async (c) => {
          const stopped = await middleware(c as never, async () => {
            if (name === 'timeout') await new Promise(() => {})
          })
          return stopped ?? c.text('let in')
        },
      ),
    ),
  ]
}

async function* endless() {
  yield 'begun'
  await new Promise(() => {})
}
