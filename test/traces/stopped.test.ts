import { Agent, request } from 'node:http'
import { expect, test } from 'vitest'
import { otlpReceiver } from '#test/support/otlp.ts'
import { startNotes } from '#test/support/process.ts'

const requests = 1_000

test('no span of 1,000 requests is lost, though the process stands still after each response', async () => {
  const receiver = await otlpReceiver()
  const service = await startNotes({
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_BSP_SCHEDULE_DELAY: '0',
  })
  const { child, url, exit } = service
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let serving = false
  const outside: number[] = []
  receiver.onCall = () => void (serving || outside.push(receiver.calls.length))

  const traceOf = (index: number) => (index + 1).toString(16).padStart(32, '0')
  async function ask(index: number): Promise<number | undefined> {
    serving = true
    child.kill('SIGCONT')
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
    const headers = { traceparent: `00-${traceOf(index)}-00f067aa0ba902b7-01` }
    request(`${url}/ping`, { agent, headers }, (response) => {
      response.resume().on('end', () => {
        child.kill('SIGSTOP') // the CPU is taken away with the response
        serving = false
        resolve(response.statusCode)
      })
    })
      .on('error', reject)
      .end()
    return promise
  }

  for (let index = 0; index < requests; index++) expect(await ask(index)).toBe(200)
  agent.destroy()
  const before = receiver.spans.length
  expect(before).toBeGreaterThan(requests / 2) // later requests have sent them, not the end
  serving = true
  child.kill('SIGCONT')
  child.kill('SIGTERM')
  expect(await exit).toBe(0)
  const traces = receiver.spans.map(({ traceId }) => traceId)
  expect(new Set(traces)).toEqual(new Set(Array.from({ length: requests }, (_, index) => traceOf(index))))
  expect(outside).toEqual([])
}, 120_000)
