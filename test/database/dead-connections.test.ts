import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Api } from '#test/support/client.ts'
import { makeDatabase } from '#test/support/database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { type Note, noteScopes, notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'
import { killConnections, killConnectionsUnseen, lockWaits, openSession } from '#test/support/session.ts'

const databaseUrl = await makeDatabase()
const { database, lines, as } = await testService({ databaseUrl, features: [notes] })
const pool = database.$client
const alice = await as('alice', noteScopes)
const write = (api: Api) => api('/notes', { json: { text: 'Tea', pages: 1 } })
const { id } = await expectJson<Note>(await write(alice), 201)
const now = performance.now.bind(performance)

/** Three kinds of request, many times at once: one query, a prepared one, a transaction. */
function traffic(rounds = 8): Promise<Response[]> {
  const kinds = [() => alice('/notes'), () => alice(`/notes/${id}`), () => write(alice)]
  return Promise.all(
    Array.from({ length: rounds }, () => kinds)
      .flat()
      .map((send) => send()),
  )
}

/** Lets the connections rest for this long: by the clock, no more. */
function rest(milliseconds: number): void {
  vi.spyOn(performance, 'now').mockImplementation(() => now() + milliseconds)
}

async function statuses(responses: Response[]): Promise<number[]> {
  await Promise.all(responses.map((response) => response.text()))
  return [...new Set(responses.map(({ status }) => status))].sort()
}

beforeEach(async () => {
  expect(await statuses(await traffic())).toEqual([200, 201])
  expect(pool.idleCount).toBeGreaterThan(2)
})
afterEach(async () => {
  expect(pool.idleCount).toBe(pool.totalCount)
  expect(pool.waitingCount).toBe(0)
})

describe('connections that died while idle', () => {
  test('cost no caller an error, at once or later', async () => {
    for (let time = 0; time < 5; time++) {
      const before = lines.length
      await killConnections(databaseUrl)
      expect(await statuses(await traffic())).toEqual([200, 201])
      expect(await statuses(await traffic())).toEqual([200, 201])
      const severities = lines.slice(before).map(({ severity }) => severity)
      expect(new Set(severities)).toEqual(new Set(['INFO']))
    }
  })

  test('unseen, while the CPU was off, cost none either', async () => {
    killConnectionsUnseen(databaseUrl)
    rest(1_000)
    expect(await statuses(await traffic())).toEqual([200, 201])
    expect(await statuses(await traffic())).toEqual([200, 201])
  })

  test('unseen, and met by a single request, cost it nothing', async () => {
    killConnectionsUnseen(databaseUrl)
    rest(3_600_000)
    await expectJson(await write(alice), 201)
    await expectJson(await alice('/notes'))
  })

  test('unseen within the last second may cost a 503, but never a connection', async () => {
    for (const send of [() => write(alice), () => alice('/notes'), () => alice(`/notes/${id}`)]) {
      expect(await statuses(await traffic())).toEqual([200, 201])
      const frozen = now()
      vi.spyOn(performance, 'now').mockImplementation(() => frozen)
      killConnectionsUnseen(databaseUrl)
      const response = await send()
      expect(response.headers.get('retry-after')).toBe('5')
      await expectProblem(response, 503, 'DATABASE_UNAVAILABLE')
      vi.restoreAllMocks()
      await openSession(databaseUrl) // meanwhile the ends of the others arrive
      expect(await statuses(await traffic())).toEqual([200, 201])
      expect(pool.idleCount).toBe(pool.totalCount)
    }
  })
})

test('a connection that rested and still lives is kept', async () => {
  const before = pool.totalCount
  const opened = vi.fn()
  pool.on('connect', opened)
  rest(60_000)
  expect(await statuses(await traffic(3))).toEqual([200, 201])
  pool.off('connect', opened)
  expect(opened).not.toHaveBeenCalled()
  expect(pool.totalCount).toBe(before)
})

test('a connection that dies under a query costs that caller a 503, and nobody else', async () => {
  const other = await openSession(databaseUrl)
  await other.query('begin')
  await other.query('lock table test_notes in access exclusive mode')
  const responses = [alice('/notes'), alice(`/notes/${id}`), write(alice)]
  await lockWaits(databaseUrl, responses.length)
  await other.query(
    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  )
  await other.query('rollback')
  for (const response of await Promise.all(responses)) {
    expect(response.headers.get('retry-after')).toBe('5')
    await expectProblem(response, 503, 'DATABASE_UNAVAILABLE')
  }
  expect(await statuses(await traffic())).toEqual([200, 201])
})
