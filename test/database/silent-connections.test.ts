import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { exemptDatabase } from '#dev/guard/exempt.ts'
import { makeDatabase } from '#test/support/database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { noteScopes, notes } from '#test/support/notes.ts'
import { proxyDatabase } from '#test/support/proxy.ts'
import { testService } from '#test/support/service.ts'

// Connections whose other end is gone without a word, as behind a NAT or a proxy that forgot them.

const now = performance.now.bind(performance)

async function serviceBehindProxy() {
  const proxy = await proxyDatabase(await makeDatabase())
  exemptDatabase(proxy.url)
  const service = await testService({ databaseUrl: proxy.url, features: [notes] })
  const alice = await service.as('alice', noteScopes)
  const list = (times: number) => Promise.all(Array.from({ length: times }, () => alice('/notes')))
  return { ...service, proxy, list, pool: service.database.$client }
}

function fakeTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  vi.spyOn(performance, 'now').mockImplementation(() => now() + 60_000)
}

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

test('silent connections cost a second once, not a second each: all that rested as long are replaced', async () => {
  const { proxy, list, pool } = await serviceBehindProxy()
  await Promise.all((await list(8)).map((response) => expectJson(response)))
  const before = proxy.opened
  expect(pool.idleCount).toBeGreaterThan(4)

  fakeTime()
  const asked = Promise.withResolvers<void>()
  proxy.silence(() => asked.resolve())
  const response = list(1)
  await asked.promise
  await vi.advanceTimersByTimeAsync(1_000)
  await expectJson((await response)[0] as Response)
  expect(proxy.opened).toBe(before + 1)
  expect(pool.totalCount).toBe(1)
})

test('so it is for many requests at once', async () => {
  const { proxy, list, pool } = await serviceBehindProxy()
  await Promise.all((await list(5)).map((response) => expectJson(response)))
  const idle = pool.idleCount
  fakeTime()
  let swallowed = 0
  const asked = Promise.withResolvers<void>()
  proxy.silence(() => ++swallowed === idle && asked.resolve())
  const responses = list(20)
  await asked.promise
  await vi.advanceTimersByTimeAsync(1_000)
  await Promise.all((await responses).map((response) => expectJson(response)))
  expect(pool.idleCount).toBe(pool.totalCount)
})

test('a silence that one request met is not met by the next, however short the other connections rested', async () => {
  const { proxy, list, pool } = await serviceBehindProxy()
  await Promise.all((await list(8)).map((response) => expectJson(response)))
  expect(pool.idleCount).toBeGreaterThan(4)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const frozen = now()
  vi.spyOn(performance, 'now').mockImplementation(() => frozen) // none of them is asked whether it lives
  const asked = Promise.withResolvers<void>()
  proxy.silence(() => asked.resolve())
  const silent = list(1)
  await asked.promise
  await vi.advanceTimersByTimeAsync(295_000)
  await vi.advanceTimersByTimeAsync(1_000)
  await expectProblem((await silent)[0] as Response, 503, 'DEADLINE_EXCEEDED')
  await expectJson((await list(1))[0] as Response)
  expect(pool.totalCount).toBe(1)
})

test('a check of readiness leaves nothing behind that a silent database would keep', async () => {
  const { proxy, list, pool, api } = await serviceBehindProxy()
  await Promise.all((await list(1)).map((response) => expectJson(response)))
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const frozen = now()
  vi.spyOn(performance, 'now').mockImplementation(() => frozen) // it has not rested: it is not asked
  const asked = Promise.withResolvers<void>()
  proxy.silence(() => asked.resolve())
  proxy.silenceNew()
  const ready = api('/ready')
  await asked.promise
  await vi.advanceTimersByTimeAsync(5_000)
  await vi.advanceTimersByTimeAsync(1_000)
  await expectProblem(await ready, 503, 'NOT_READY')
  expect({ total: pool.totalCount, timers: vi.getTimerCount() }).toEqual({ total: 0, timers: 0 })
  proxy.speakNew()
  await expectJson((await list(1))[0] as Response)
})

test('a database that takes connections and says nothing is a 503 after 3 s, not a hang', async () => {
  const { proxy, list, pool, lines } = await serviceBehindProxy()
  proxy.silenceNew()
  fakeTime()
  const response = list(1)
  while (proxy.opened === 0) await nextTurn()
  await vi.advanceTimersByTimeAsync(3_000)
  await expectProblem((await response)[0] as Response, 503, 'DATABASE_UNAVAILABLE')
  expect(pool.totalCount).toBe(0)
  expect(JSON.stringify(lines)).toContain('Connection terminated due to connection timeout')
})
