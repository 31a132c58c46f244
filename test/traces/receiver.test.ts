import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { handlePlain } from '#src/runtime/routes/route.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { otlpReceiver } from '#test/support/otlp.ts'
import { testService } from '#test/support/service.ts'

const receiver = await otlpReceiver()
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` }

/** A service whose requests send the spans of those before. */
async function traced() {
  const thing = handlePlain({ method: 'get', path: '/things/:id', security: 'public' }, (c) =>
    c.text('thing'),
  )
  const service = await testService({
    ...{ features: [featureOf(thing)], databaseUrl: noDatabase },
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '0' },
  })
  return {
    ...service,
    /** A request that its caller has sampled, or not. */
    ask: async (id: number, sampled = false) =>
      void (await (await service.api(`/things/${id}`, sampled ? { headers } : {})).text()),
    warnings: (text: string) =>
      service.lines.filter(({ message, severity }) => severity === 'WARNING' && `${message}`.includes(text)),
  }
}

const received = () => receiver.spans.filter((one) => one.traceId === traceId)

beforeEach(() => {
  receiver.spans.length = 0
  receiver.calls.length = 0
  receiver.respond = undefined
})

afterEach(() => void vi.useRealTimers())

test('a receiver that is slow delays one response, by half a second at most, and gets the spans later', async () => {
  receiver.respond = () => {} // never
  const slow = await traced()
  await slow.ask(7, true)
  const started = performance.now()
  await slow.ask(8)
  expect(performance.now() - started).toBeLessThan(2_000)
  expect(receiver.calls).toHaveLength(1)
  await slow.ask(9) // within a second nothing is sent again
  expect(receiver.calls).toHaveLength(1)
  expect(slow.warnings('they are kept as long as there is room')).toHaveLength(1)
  receiver.respond = undefined
  await slow.close() // as at SIGTERM
  expect(received()).toHaveLength(1)
})

test('a receiver that refuses spans for good gets them once, and the warning says that they are dropped', async () => {
  const refused = await traced()
  receiver.respond = (response) => response.writeHead(400).end('no')
  await refused.ask(7, true)
  await refused.ask(8)
  receiver.respond = undefined
  expect(receiver.calls).toHaveLength(1)
  expect(refused.warnings('those of this call are dropped')).toHaveLength(1)
  await refused.close()
  expect(received()).toEqual([])
})

test('a receiver that asks for a pause gets the spans after it', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const busy = await traced()
  receiver.respond = (response) => response.writeHead(429, { 'retry-after': '30' }).end()
  await busy.ask(7, true)
  await busy.ask(8)
  receiver.respond = undefined
  vi.advanceTimersByTime(29_000) // by itself, it would pause for a second
  await busy.ask(9)
  expect(receiver.calls).toHaveLength(1)
  vi.advanceTimersByTime(2_000)
  await busy.ask(10)
  expect(received()).toHaveLength(1)
})

test('a receiver that takes a part of the spans gets none again, and one warning has its reason', async () => {
  const part = await traced()
  receiver.respond = (response) => response.end(Buffer.from([0x0a, 6, 0x08, 1, 0x12, 2, 0x6e, 0x6f])) // 1 rejected: "no"
  await part.ask(7, true)
  await part.ask(8, true)
  await part.ask(9)
  expect(part.warnings('has left out spans: no')).toHaveLength(1)
  receiver.respond = (response) => response.end(Buffer.from([0x0a, 0]))
  await part.close()
  expect(receiver.calls.length).toBeGreaterThan(1)
  expect(received()).toEqual([])
})

test('a receiver that says nothing of a part is no warning', async () => {
  receiver.respond = (response) => response.end(Buffer.from([0x0a, 0]))
  const whole = await traced()
  await whole.ask(7, true)
  await whole.ask(8)
  expect(receiver.calls).toHaveLength(1)
  expect(whole.warnings('')).toEqual([])
})
