import { setTimeout as pause } from 'node:timers/promises'
import { defineRoute, handle, handlePlain, Problem, statusProblems, z } from '#runtime'

const bytes = Buffer.from('0123456789'.repeat(500))
const content = { 'text/csv': {} }
const mebibyte = 1024 * 1024

const report = defineRoute({
  method: 'get',
  path: '/downloads/report',
  operationId: 'downloadReport',
  summary: 'Download a report, or a part of it',
  security: 'public',
  request: { headers: z.object({ range: z.string().optional() }) },
  responses: {
    200: { description: 'All of it', content },
    206: { description: 'A part of it', content, headers: z.object({ 'Content-Range': z.string() }) },
  },
  problems: [statusProblems.RANGE_NOT_SATISFIABLE],
})

/** Bodies that are at hand, but not at once, or say their own type. */
const bodies: Record<string, () => Response> = {
  blob: () => new Response(new Blob(['a'], { type: 'image/png' })),
  'blob-with-headers': () =>
    new Response(new Blob(['a'], { type: 'image/png' }), { headers: { 'X-A': 'a' } }),
  'blob-stated': () =>
    new Response(new Blob(['a'], { type: 'image/png' }), { headers: { 'Content-Type': 'image/gif' } }),
  'blob-of-none': () => new Response(new Blob(['a'])),
  bytes: () => new Response(Uint8Array.from([1])),
  'bytes-with-headers': () => new Response(Uint8Array.from([1]), { headers: { 'X-A': 'a' } }),
  buffer: () => new Response(Uint8Array.from([1]).buffer),
  text: () => new Response('a'),
  'text-with-headers': () => new Response('a', { headers: { 'X-A': 'a' } }),
  pairs: () => new Response(new URLSearchParams({ a: 'b' })),
  stream: () => new Response(slowly(10)),
  nothing: () => new Response(null),
}

const keep = ['blob', 'large-blob', 'slow', 'large-slow'] as const
const kept = defineRoute({
  method: 'post',
  path: '/kept-bodies/{kind}',
  operationId: 'keepBody',
  summary: 'Answer with a body that is not at hand at once',
  security: 'authenticated',
  idempotent: true,
  request: { params: z.object({ kind: z.enum(keep) }) },
  responses: { 200: { description: 'Bytes', content: { 'application/pdf': {} } } },
})

/** Files, parts of them, and bodies of every kind. */
export function downloads() {
  return [
    handle(report, (c) => {
      const headers = {
        'Content-Type': 'text/csv',
        'Accept-Ranges': 'bytes',
        'Content-Disposition': `attachment; filename="report.csv"; filename*=UTF-8''${encodeURIComponent('報告 é.csv')}`,
      }
      const range = /^bytes=(\d+)-(\d*)$/.exec(c.req.valid('header').range ?? '')
      if (!range) return c.body(bytes, 200, headers)
      const [from, to] = [Number(range[1]), range[2] ? Number(range[2]) : bytes.length - 1]
      if (from >= bytes.length)
        throw new Problem(statusProblems.RANGE_NOT_SATISFIABLE, {
          headers: { 'Content-Range': `bytes */${bytes.length}` },
        })
      const part = { ...headers, 'Content-Range': `bytes ${from}-${to}/${bytes.length}` }
      return c.body(bytes.subarray(from, to + 1), 206, part)
    }),
    handlePlain({ method: 'get', path: '/body-types/:kind', security: 'public' }, (c) => {
      return bodies[c.req.param('kind') ?? '']?.() ?? c.notFound()
    }),
    handlePlain({ method: 'get', path: '/relayed/:how', security: 'public' }, (c) => {
      const headers = { 'X-Request-Id': 'of-another', 'X-A': 'a' }
      return c.req.param('how') === 'json' ? c.json({}, 200, headers) : new Response('x', { headers })
    }),
    handle(kept, (c) => {
      const { kind } = c.req.valid('param')
      const size = kind.startsWith('large') ? mebibyte + 1 : mebibyte
      const body = kind.endsWith('blob') ? new Blob(['x'.repeat(size)]) : slowly(size)
      return new Response(body, { headers: { 'Content-Type': 'application/pdf' } })
    }),
  ]
}

/** So many bytes, each part in a later turn of the loop. */
function slowly(size: number): ReadableStream<Uint8Array> {
  let left = size
  return new ReadableStream({
    async pull(controller) {
      await pause(2)
      const part = Math.min(left, 2 ** 18)
      left -= part
      if (part > 0) controller.enqueue(Buffer.alloc(part, 'x'))
      if (left === 0) controller.close()
    },
  })
}
