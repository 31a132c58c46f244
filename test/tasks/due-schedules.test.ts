import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineSchedule } from '#src/runtime/tasks/schedule.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { setDatabaseClock } from '#test/support/database-clock.ts'
import { lockWaits, openSession } from '#test/support/session.ts'
import { trial } from './trial.ts'

const sweep = defineTask({ name: 'trial.sweep', payload: z.object({ of: z.string() }), async run() {} })
const nightly = defineSchedule({
  ...{ name: 'trial.nightly', cron: '30 2 * * *', timeZone: 'Europe/Berlin' },
  ...{ task: sweep, payload: { of: 'nightly' } },
})
const hourly = defineSchedule({
  ...{ name: 'trial.hourly', cron: '0 * * * *', timeZone: 'UTC' },
  ...{ task: sweep, payload: { of: 'hourly' } },
})
const service = await trial({ tasks: [sweep], schedules: [nightly, hourly] })
const { tick, ledger, query, emulator, databaseUrl } = service

/** Sets the clock of the database alone. */
const setTime = (time: string) => setDatabaseClock(databaseUrl, new Date(time))

const enqueued = async (of: string) => (await ledger()).filter(({ payload }) => payload.of === of).length

beforeEach(async () => {
  await service.clear()
  await query('delete from runtime.schedules')
})

test('a schedule that is seen for the first time begins now', async () => {
  await setTime('2026-06-01T10:00:00Z')
  expect(await tick()).toBe(200)
  expect(await ledger()).toEqual([])
  await setTime('2026-06-01T10:59:59Z')
  await tick()
  expect(await ledger()).toEqual([])
})

test('it is enqueued once when it is due, and handed over by the same tick', async () => {
  await setTime('2026-06-01T10:00:00Z')
  await tick()
  await setTime('2026-06-01T11:00:00Z')
  await tick()
  await tick()
  expect(await ledger()).toMatchObject([
    { name: 'trial.sweep', state: 'queued', payload: { of: 'hourly' }, key: null },
  ])
  expect(emulator.pending()).toHaveLength(1)
})

test('of slots that were missed, one is made up for', async () => {
  await setTime('2026-06-01T10:00:00Z')
  await tick()
  await setTime('2026-06-04T10:20:00Z')
  await tick()
  expect([await enqueued('hourly'), await enqueued('nightly')]).toEqual([1, 1])
  await setTime('2026-06-04T10:59:00Z')
  await tick()
  expect([await enqueued('hourly'), await enqueued('nightly')]).toEqual([1, 1])
  await setTime('2026-06-04T11:00:10Z')
  await tick()
  expect([await enqueued('hourly'), await enqueued('nightly')]).toEqual([2, 1])
})

test('one whose time zone is none keeps the tick from nothing else', async () => {
  const broken = { ...nightly, name: 'trial.broken', nextAfter: () => fail('Europe/Bonn') }
  const other = await trial({ tasks: [sweep], schedules: [broken, hourly] })
  await other.tick()
  await other.advance('1h')
  expect(await other.tick()).toBe(200)
  expect(await other.ledger()).toMatchObject([{ payload: { of: 'hourly' }, state: 'queued' }])
  expect(other.lines).toContainEqual(
    expect.objectContaining({ severity: 'ERROR', message: 'The next slot of a schedule cannot be computed' }),
  )
})

function fail(words: string): never {
  throw new TypeError(words)
}

describe.each([
  [
    'in autumn, when half past two comes twice',
    '2026-10-24T22:00:00Z',
    ['2026-10-25T00:30Z', '2026-10-26T01:30Z'],
  ],
  ['in spring, when it does not come', '2026-03-28T22:00:00Z', ['2026-03-29T01:00Z', '2026-03-30T00:30Z']],
])('%s', (_when, from, expected) => {
  test('ticks every half hour run it once a night', async () => {
    const start = Date.parse(from)
    const due: string[] = []
    await setTime(from)
    await tick()
    for (let minutes = 0; minutes <= 29 * 60; minutes += 30) {
      const time = new Date(start + minutes * 60_000).toISOString()
      await setTime(time)
      const before = await enqueued('nightly')
      await tick()
      if ((await enqueued('nightly')) > before) due.push(time.replace(':00.000Z', 'Z'))
    }
    expect(due).toEqual(expected)
  })
})

test('of two ticks at once, one enqueues it', async () => {
  await setTime('2026-06-01T10:00:00Z')
  await tick()
  await setTime('2026-06-01T11:00:00Z')
  const other = await openSession(databaseUrl)
  await other.query('begin')
  await other.query('select 1 from runtime.schedules for update')
  const ticks = [tick(), tick(), tick()]
  await lockWaits(databaseUrl, 3) // all have seen that it is due
  await other.query('commit')
  expect(await Promise.all(ticks)).toEqual([200, 200, 200])
  expect(await enqueued('hourly')).toBe(1)
})
