import { setTimeout as pause } from 'node:timers/promises'
import { stream as honoStream, streamSSE, streamText } from 'hono/streaming'
import {
  defineRoute,
  handle,
  handlePlain,
  reportWarning,
  type ServerSentEvent,
  sendEvents,
  sendStream,
  sse,
  stream,
  z,
} from '#runtime'

const get = { method: 'get', security: 'public' } as const
const kinds = [
  'whole',
  'fails-at-once',
  'fails-early',
  'fails-late',
  'endless',
  'deaf',
  'large',
  'odd',
] as const

const download = defineRoute({
  ...get,
  path: '/streams/{kind}',
  operationId: 'download',
  summary: 'Download so many lines',
  request: { params: z.object({ kind: z.enum(kinds) }) },
  responses: { 200: stream('text/csv', 'Lines', { 'Content-Disposition': 'The name of the file' }) },
})
const watch = defineRoute({
  ...get,
  path: '/events/{kind}',
  operationId: 'watch',
  summary: 'Watch what happens',
  request: {
    params: z.object({ kind: z.enum(['whole', 'fails-at-once', 'fails-late', 'endless', 'deaf']) }),
  },
  responses: { 200: sse('What happens') },
})
const text = defineRoute({
  ...get,
  path: '/texts',
  operationId: 'streamText',
  summary: 'Stream a text',
  responses: { 200: stream('text/plain', 'A text') },
})

/** Of the kinds of /own. */
const lengths = new Map([
  ['short', '100'],
  ['short-later', '100'],
  ['long', '3'],
  ['exact', '6'],
])

/** What each kind of stream does after its first chunk. */
async function* lines(kind: (typeof kinds)[number], signal: AbortSignal): AsyncIterable<string | Uint8Array> {
  if (kind === 'fails-at-once') throw new Error('hunter2: the query failed')
  if (kind === 'fails-early') {
    await pause(20)
    throw new Error('hunter2: the query failed slowly')
  }
  yield 'begun\n'
  if (kind === 'odd') {
    await pause(20)
    yield 7 as never
  }
  if (kind === 'fails-late') {
    await pause(20)
    throw new Error('hunter2: the second query failed')
  }
  if (kind === 'endless') await once(signal)
  if (kind === 'deaf') await new Promise(() => {})
  if (kind === 'large') for (let count = 0; count < 512; count++) yield Buffer.alloc(2 ** 16, 'x')
  await reportWarning('ended by itself', { kind })
  yield 'ended\n'
}

/** Waits for the signal, and says in the log that it came. */
async function once(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve())
  })
  await reportWarning('the signal aborted', { reason: String(signal.reason?.message) })
}

async function* events(kind: string, signal: AbortSignal): AsyncIterable<ServerSentEvent> {
  if (kind === 'fails-at-once') throw new Error('hunter2: the query failed')
  yield { event: 'greeting', id: '1', data: 'two\nlines', retry: 1000 }
  if (kind === 'fails-late') {
    await pause(20)
    throw new Error('hunter2: the second query failed')
  }
  if (kind === 'endless') return await once(signal)
  if (kind === 'deaf') await new Promise(() => {})
  yield { data: 'ended' }
}

/** Responses whose body is made while they are sent: the runtime's helpers, Hono's, and those of one's own. */
export function streams() {
  return [
    handle(download, (c) => {
      const headers = { 'Content-Disposition': 'attachment; filename="lines.csv"' }
      return sendStream(c, 'text/csv', lines(c.req.valid('param').kind, c.var.signal), headers)
    }),
    handle(watch, (c) => sendEvents(c, events(c.req.valid('param').kind, c.var.signal))),
    handle(text, (c) => sendStream(c, 'text/plain', lines('whole', c.var.signal))),
    handlePlain({ ...get, path: '/hono/sse' }, (c) =>
      streamSSE(c, async (stream) => {
        stream.onAbort(() => c.var.log.info('hono heard that it ends'))
        while (!stream.aborted) {
          await stream.writeSSE({ data: 'tick' })
          await pause(10)
        }
      }),
    ),
    handlePlain({ ...get, path: '/hono/stream' }, (c) =>
      honoStream(c, async (stream) => {
        await stream.write('begun\n')
        await pause(10)
        await stream.write('ended\n')
      }),
    ),
    handlePlain({ ...get, path: '/hono/text' }, (c) =>
      streamText(c, async (stream) => {
        await stream.writeln('begun')
        await pause(10)
        await stream.writeln('ended')
      }),
    ),
    handlePlain({ ...get, path: '/own/:kind' }, (c) => {
      const kind = c.req.param('kind')
      const length = lengths.get(kind ?? '')
      const body = new ReadableStream({
        async pull(controller) {
          if (kind === 'error') controller.error(new Error('hunter2'))
          await pause(10)
          controller.enqueue(Buffer.from('begun\n'))
          if (kind?.endsWith('later')) await pause(50)
          controller.close()
        },
      })
      return new Response(body, length ? { headers: { 'Content-Length': length } } : {})
    }),
  ]
}
