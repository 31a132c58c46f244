import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { tracedFetch } from '#src/runtime/http/traced-fetch.ts'
import { handlePlain } from '#src/runtime/routes/route.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { enqueueMany } from '#src/runtime/tasks/enqueue-many.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { atEnd } from '#test/support/at-end.ts'
import { featureOf } from '#test/support/feature.ts'
import { otlpReceiver, type ReceivedSpan } from '#test/support/otlp.ts'
import { testService } from '#test/support/service.ts'
import { trial } from '../tasks/trial.ts'

const receiver = await otlpReceiver()
const environment = {
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  OTEL_EXPORTER_OTLP_HEADERS: 'Api-Key=a%20b,tenant=1',
  OTEL_BSP_SCHEDULE_DELAY: '0',
  OTEL_SERVICE_NAME: 'shop',
}

/** Another service, which keeps the `traceparent` of each call. */
async function otherService() {
  const parents: string[] = []
  const server = createServer((request, response) => {
    parents.push(`${request.headers.traceparent}`)
    response.writeHead(request.url?.startsWith('/fails') ? 500 : 200).end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, parents }
}

const other = await otherService()
const work = defineTask({
  name: 'trial.work',
  payload: z.object({ fails: z.boolean() }),
  retry: { attempts: 2, backoff: { min: '1s', max: '1s' } },
  async run({ payload, attempt, step }) {
    await step('ship', async () => {
      const response = await tracedFetch(`${other.url}/ship?secret=1`, { method: 'PUT' })
      await response.body?.cancel()
    })
    if (payload.fails && attempt === 1) throw new TypeError('It fails')
  },
})
const letter = defineTask({ name: 'trial.letter', payload: z.object({}), async run() {} })
const report = defineTask({ name: 'trial.report', payload: z.object({}), async run() {} })
const service = await trial({ tasks: [work, letter, report], environment })
const secret = "the customer's secret"
const plain = featureOf(
  handlePlain({ method: 'get', path: '/things/:id', security: 'public' }, async (c) => {
    if (c.req.param('id') === 'broken') throw new RangeError(`A message`)
    if (c.req.param('id') === 'calls') {
      const response = await tracedFetch(`${other.url}/fails?secret=1`)
      await response.body?.cancel()
    }
    return c.text('thing')
  }),
)
const things = await testService({ features: [plain], environment })

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const sampled = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` }

/** What was received, after the requests until now. The last request of each service sends the spans of those before. */
async function received(): Promise<ReceivedSpan[]> {
  await things.api('/version')
  await service.api('/version')
  return receiver.spans
}

const shape = (spans: readonly ReceivedSpan[], root: string, depth = 0): string[] =>
  spans
    .filter(({ parentSpanId }) => parentSpanId === root)
    .toSorted((a, b) => Number(a.start - b.start))
    .flatMap((span) => [`${'  '.repeat(depth)}${span.name}`, ...shape(spans, span.spanId, depth + 1)])

beforeEach(async () => {
  await received()
  receiver.spans.length = 0
  receiver.calls.length = 0
  receiver.respond = undefined
  other.parents.length = 0
})

describe('a request', () => {
  test('is a span below the caller’s, in OpenTelemetry’s own words', async () => {
    await (await things.api('/things/7', { headers: { ...sampled, 'X-Forwarded-Proto': 'https' } })).text()
    const [span] = (await received()).filter((one) => one.traceId === traceId)
    expect(span).toMatchObject({
      ...{ parentSpanId: '00f067aa0ba902b7', name: 'GET /things/:id', kind: 'SPAN_KIND_SERVER', flags: 1 },
      attributes: {
        'http.request.method': 'GET',
        'http.route': '/things/:id',
        'http.response.status_code': 200,
        'url.path': '/things/7',
        'url.scheme': 'https',
      },
    })
    expect(span?.status.code).toBeUndefined()
    const ms = Number((span?.end ?? 0n) - (span?.start ?? 0n)) / 1e6
    expect(ms).toBeGreaterThan(0)
    expect(Math.abs(Number(span?.start) / 1e6 - Date.now())).toBeLessThan(60_000)
    expect(receiver.resource).toMatchObject({
      'service.name': 'shop',
      'deployment.environment.name': 'development',
    })
    expect(receiver.calls[0]).toMatchObject({
      path: '/v1/traces',
      headers: { 'content-type': 'application/x-protobuf', 'api-key': 'a b', tenant: '1' },
    })
  })

  test('that the caller has not sampled is left out, unless it fails', async () => {
    const unsampled = { traceparent: sampled.traceparent.replace(/1$/, '0') }
    await (await things.api('/things/7', { headers: unsampled })).text()
    expect(await received()).toEqual([])
    await (await things.api('/things/broken', { headers: unsampled })).text()
    expect(await received()).toMatchObject([
      {
        name: 'GET /things/:id',
        status: { code: 'STATUS_CODE_ERROR', message: 'RangeError: A message' },
        attributes: { 'error.type': 'RangeError', 'http.response.status_code': 500 },
      },
    ])
  })

  test('has a span for each call, which is the parent of what the other service does', async () => {
    await (await things.api('/things/calls', { headers: sampled })).text()
    const spans = (await received()).filter((one) => one.traceId === traceId)
    expect(shape(spans, '00f067aa0ba902b7')).toEqual(['GET /things/:id', '  GET'])
    const [call] = spans.filter(({ kind }) => kind === 'SPAN_KIND_CLIENT')
    expect(call).toMatchObject({
      status: { code: 'STATUS_CODE_ERROR', message: 'The response has the status 500' },
      attributes: {
        'error.type': '500',
        'http.request.method': 'GET',
        'http.response.status_code': 500,
        'server.address': '127.0.0.1',
        'server.port': Number(new URL(other.url).port),
      },
    })
    expect(other.parents).toEqual([`00-${traceId}-${call?.spanId}-01`])
    expect(JSON.stringify(call?.attributes)).not.toContain('secret')
  })

  test('its log lines name its span', async () => {
    await (await things.api('/things/7', { headers: sampled })).text()
    const [span] = (await received()).filter((one) => one.traceId === traceId)
    const line = things.lines.findLast(({ message }) => `${message}`.includes('/things/7'))
    expect(line?.['logging.googleapis.com/spanId']).toBe(span?.spanId)
  })
})

test('a task’s whole life is in one trace: request, transaction, hand-over, attempts, steps, calls', async () => {
  const enqueued = (tx: Parameters<typeof enqueue>[0]) => enqueue(tx, work, { fails: true })
  const { id } = await service.request(enqueued, sampled)
  await service.drain({ until: '5s' })
  const spans = (await received()).filter((one) => one.traceId === traceId)
  const shown = shape(spans, '00f067aa0ba902b7')
  expect(shown.filter((line) => !/(SELECT|UPDATE|WITH) runtime\./.test(line))).toEqual([
    'POST /work',
    '  INSERT runtime.tasks',
    '  COMMIT',
    '  send trial.work',
    '    process trial.work',
    '      step ship',
    '        PUT',
    '    process trial.work', // the step has its result already
    '  POST', // to Cloud Tasks
  ])
  expect(shown).toContain('      UPDATE runtime.tasks') // what became of the attempt
  const attempts = spans.filter(({ kind }) => kind === 'SPAN_KIND_CONSUMER')
  expect(attempts).toMatchObject([
    {
      attributes: {
        'messaging.destination.name': 'trial.work',
        'messaging.message.id': id,
        'task.attempt': 1,
        'task.outcome': 'retrying',
      },
      status: { code: 'STATUS_CODE_ERROR', message: 'TypeError: It fails' },
    },
    { attributes: { 'task.attempt': 2, 'task.outcome': 'done' } },
  ])
  for (const { links } of attempts)
    expect(links).toEqual([{ traceId: expect.not.stringMatching(traceId), spanId: expect.any(String) }])
  const put = spans.find(({ name }) => name === 'PUT')
  expect(other.parents).toEqual([`00-${traceId}-${put?.spanId}-01`])
})

test('the tasks of a batch, and the final one, are below what the request has sent of them', async () => {
  const size = 3
  const { id } = await service.request(
    (tx) => enqueueMany(tx, letter, Array(size).fill({}), { finally: [report, {}] }),
    sampled,
  )
  await service.drain()
  const spans = (await received()).filter((one) => one.traceId === traceId)
  const known = new Set(['00f067aa0ba902b7', ...spans.map(({ spanId }) => spanId)])
  expect(spans.filter(({ parentSpanId }) => !known.has(parentSpanId))).toEqual([])
  const shown = shape(spans, '00f067aa0ba902b7').filter((line) => /(send|create|process) /.test(line))
  expect(shown).toEqual([
    '  send trial.letter',
    ...Array(size).fill('    process trial.letter'),
    '  create trial.report',
    '    process trial.report',
  ])
  expect(spans.filter(({ kind }) => kind === 'SPAN_KIND_PRODUCER')).toMatchObject([
    {
      attributes: {
        'messaging.destination.name': 'trial.letter',
        'messaging.operation.type': 'send',
        'messaging.batch.message_count': size,
        'task.batch': id,
      },
    },
    { attributes: { 'messaging.destination.name': 'trial.report', 'messaging.operation.type': 'create' } },
  ])
})

test('no value of a statement is in a span', async () => {
  await service.request(async (tx) => {
    const { sql } = await import('drizzle-orm')
    await tx.execute(sql`select ${secret} as a, 'literal secret' as b from runtime.tasks limit 1`)
  }, sampled)
  const spans = (await received()).filter((one) => one.traceId === traceId)
  expect(spans.map(({ name }) => name)).toContain('SELECT runtime.tasks')
  expect(
    JSON.stringify(spans, (_key, value) => (typeof value === 'bigint' ? `${value}` : value)),
  ).not.toContain('secret')
})
