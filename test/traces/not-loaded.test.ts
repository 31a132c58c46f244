import { expect, test, vi } from 'vitest'
import { handlePlain } from '#src/runtime/routes/route.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { otlpReceiver } from '#test/support/otlp.ts'
import { testService } from '#test/support/service.ts'

const createTracer = vi.hoisted(() => vi.fn())
vi.mock('#src/runtime/traces/tracer.ts', async (load) => {
  const original = await load<typeof import('#src/runtime/traces/tracer.ts')>()
  return { createTracer: createTracer.mockImplementation(original.createTracer) }
})

test('a request goes on without a span if the code of traces cannot be loaded, and the next one has one', async () => {
  const receiver = await otlpReceiver()
  const thing = handlePlain({ method: 'get', path: '/thing', security: 'public' }, (c) => c.text('thing'))
  const service = await testService({
    ...{ features: [featureOf(thing)], databaseUrl: noDatabase },
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_TRACES_SAMPLER: 'always_on' },
  })
  createTracer.mockImplementationOnce(() => {
    throw new Error('No file can be opened')
  })
  expect(await (await service.api('/thing')).text()).toBe('thing')
  const warned = () =>
    service.lines.filter(({ message }) => `${message}`.includes('traces could not be loaded'))
  expect(warned()).toMatchObject([{ severity: 'WARNING' }])
  expect(await (await service.api('/thing')).text()).toBe('thing')
  expect(warned()).toHaveLength(1)
  await service.close() // as at SIGTERM
  expect(receiver.spans).toMatchObject([{ name: 'GET /thing' }])
})
