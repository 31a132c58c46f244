import { describe, expect, test } from 'vitest'
import { expectLog, expectProblem, noDatabase, testService } from '#test/kit'
import { lab as features } from './feature.ts'
import { sharedLab } from './lab.ts'

const lab = sharedLab()
const inProcess = await testService({ databaseUrl: noDatabase, features })
const everywhere = [
  ['over HTTP', () => lab.api],
  ['in process', () => inProcess.api],
] as const

describe.each(everywhere)('a download %s', (_where, api) => {
  const whole = '0123456789'.repeat(500)

  test('has a name in any script', async () => {
    const response = await api()('/downloads/report')
    expect(response.headers.get('content-disposition')).toBe(
      `attachment; filename="report.csv"; filename*=UTF-8''${encodeURIComponent('報告 é.csv')}`,
    )
    expect([response.headers.get('content-type'), await response.text()]).toEqual(['text/csv', whole])
  })

  test.each([
    ['bytes=0-2999', 0, 2999],
    ['bytes=4990-', 4990, 4999],
  ])('is sent in parts, which are not compressed: %s', async (range, from, to) => {
    const response = await api()('/downloads/report', {
      headers: { Range: range, 'Accept-Encoding': 'gzip' },
    })
    expect([response.status, response.headers.get('content-range')]).toEqual([
      206,
      `bytes ${from}-${to}/5000`,
    ])
    expect(response.headers.get('content-encoding')).toBeNull()
    expect(response.headers.get('content-length')).toBe(String(to - from + 1))
    expect(await response.text()).toBe(whole.slice(from, to + 1))
  })

  test('has no part beyond its end', async () => {
    const response = await api()('/downloads/report', { headers: { Range: 'bytes=5000-' } })
    expect(response.headers.get('content-range')).toBe('bytes */5000')
    await expectProblem(response, 416, 'RANGE_NOT_SATISFIABLE')
  })

  test('says its length to HEAD', async () => {
    const head = await api()('/downloads/report', { method: 'HEAD' })
    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([200, 'text/csv', ''])
  })
})

describe.each(everywhere)('the type of a body that a handler makes %s', (_where, api) => {
  const text = 'text/plain;charset=UTF-8'
  test.each([
    ['blob', 'image/png'],
    ['blob-with-headers', 'image/png'],
    ['blob-stated', 'image/gif'],
    ['blob-of-none', 'application/octet-stream'],
    ['bytes', 'application/octet-stream'],
    ['bytes-with-headers', 'application/octet-stream'],
    ['buffer', 'application/octet-stream'],
    ['text', text],
    ['text-with-headers', text],
    ['pairs', 'application/x-www-form-urlencoded;charset=UTF-8'],
    ['stream', 'application/octet-stream'],
    ['nothing', null],
  ])('%s: %s', async (kind, type) => {
    const response = await api()(`/body-types/${kind}`)
    await response.arrayBuffer()
    expect(response.headers.get('content-type')).toBe(type)
  })
})

test.each(['json', 'response'])('the id of another service is not that of ours: %s', async (how) => {
  const response = await lab.api(`/relayed/${how}`, { headers: { 'X-Request-Id': 'ours' } })
  expect(response.headers.get('x-a')).toBe('a')
  expect(response.headers.get('x-request-id')).toBe('ours')
})

describe('a body that is not at hand at once is kept for a retry', () => {
  test.each(['blob', 'slow'])('whole, whenever it comes: %s', async (kind) => {
    const alice = await lab.as('alice')
    for (let time = 0; time < 10; time++) {
      const ask = () =>
        alice(`/kept-bodies/${kind}`, { method: 'POST', headers: { 'Idempotency-Key': `${kind}-${time}` } })
      const [first, again] = [await ask(), await ask()]
      expect([first.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true'])
      const bytes = await first.bytes()
      expect(bytes).toHaveLength(1024 * 1024)
      expect(await again.bytes()).toEqual(bytes)
    }
  })

  test.each(['large-blob', 'large-slow'])('but none of more than 1 MiB: %s', async (kind) => {
    const alice = await lab.as('alice')
    const response = await alice(`/kept-bodies/${kind}`, { method: 'POST' })
    await expectProblem(response, 500, 'INTERNAL')
    const causes = expectLog(lab.process.lines).map(({ stack_trace }) => String(stack_trace))
    expect(causes.join('\n')).toContain('its response is larger than 1048576 bytes')
  })
})
