import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineSchedule, type Schedule } from '#src/runtime/tasks/schedule.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { makeDatabase } from '#test/support/database.ts'
import { setDatabaseClock } from '#test/support/database-clock.ts'
import { lockWaits, openSession } from '#test/support/session.ts'
import { trial } from './trial.ts'

const sweep = defineTask({ name: 'trial.sweep', payload: z.object({}), async run() {} })
const schedule = (cron: string, timeZone = 'UTC') =>
  defineSchedule({ name: 'trial.sweep', cron, timeZone, task: sweep, payload: {} })

const databaseUrl = await makeDatabase()
const revision = (...schedules: Schedule[]) => trial({ tasks: [sweep], schedules, databaseUrl })

/** Revisions that share a database: with the schedule, without it, and with it changed. */
const [hourly, without, daily, at9, at9inTokyo, twiceADay] = await Promise.all([
  revision(schedule('0 * * * *')),
  revision(),
  revision(schedule('0 3 * * *')),
  revision(schedule('0 9 * * *')),
  revision(schedule('0 9 * * *', 'Asia/Tokyo')),
  revision(schedule('0 3,15 * * *')),
])
type Revision = typeof hourly
const { query } = hourly

/** A tick that reaches this revision, at this time of the database. @returns how many it enqueued */
async function tick({ tick }: Revision, time: string): Promise<number> {
  const before = await count()
  await setTime(time)
  expect(await tick()).toBe(200)
  return (await count()) - before
}

/** Ticks every ten minutes. @returns when something was enqueued */
async function ticks(revision: (minute: number) => Revision, from: string, hours: number): Promise<string[]> {
  const found: string[] = []
  for (let minute = 0; minute <= hours * 60; minute += 10) {
    const time = new Date(Date.parse(from) + minute * 60_000).toISOString()
    for (let count = await tick(revision(minute), time); count > 0; count--) found.push(time.slice(11, 16))
  }
  return found
}

async function count(): Promise<number> {
  const [row] = await query('select count(*)::int from runtime.tasks')
  return Number(row?.count)
}

const setTime = (time: string) => setDatabaseClock(databaseUrl, new Date(time))

beforeEach(async () => {
  await hourly.clear()
  await query('delete from runtime.schedules')
})

describe('a schedule that was taken out', () => {
  test('starts over when it comes back, here an hour later: its next slot runs, not the one in between', async () => {
    await tick(hourly, '2026-06-01T10:30:00Z')
    expect(await ticks(() => without, '2026-06-01T10:31:00Z', 1)).toEqual([])
    expect(await ticks(() => hourly, '2026-06-01T11:32:00Z', 1)).toEqual(['12:02'])
  })

  test('leaves no row behind', async () => {
    await tick(hourly, '2026-06-01T10:30:00Z')
    await ticks(() => without, '2026-06-01T10:31:00Z', 1)
    expect(await query('select * from runtime.schedules')).toEqual([])
  })

  test('for less than half an hour goes on: two revisions may have served at once', async () => {
    await tick(hourly, '2026-06-01T10:50:00Z')
    await tick(without, '2026-06-01T10:51:00Z')
    await tick(without, '2026-06-01T11:20:00Z')
    expect(await tick(hourly, '2026-06-01T11:21:00Z')).toBe(1)
  })

  test('was not taken out while nothing ticked, whichever revision ticks first after that', async () => {
    await tick(hourly, '2026-06-01T10:30:00Z')
    await tick(without, '2026-06-03T10:30:00Z')
    expect(await tick(hourly, '2026-06-03T10:31:00Z')).toBe(1)
    expect(await tick(hourly, '2026-06-03T10:32:00Z')).toBe(0)
  })
})

describe('of two revisions that serve at once', () => {
  test('one has it: each slot runs once', async () => {
    const turns = [hourly, without, without, hourly, without]
    const turn = (minute: number) => turns[(minute / 10) % turns.length] ?? hourly
    expect(await ticks(turn, '2026-06-01T10:00:00Z', 5)).toEqual([
      '11:20',
      '12:10',
      '13:00',
      '14:10',
      '15:00',
    ])
  })

  test('each has another pattern: the slots of both run, one of both runs once', async () => {
    const turn = (minute: number) => (minute % 20 === 0 ? daily : twiceADay)
    expect(await ticks(turn, '2026-06-01T02:30:00Z', 25)).toEqual(['03:00', '15:00', '03:00'])
  })

  test('each has another pattern, and both tick at once for the first time: a slot of both runs once', async () => {
    await tick(daily, '2026-06-01T02:59:00Z')
    await setTime('2026-06-01T03:00:00Z')
    const other = await openSession(databaseUrl)
    await other.query('begin')
    await other.query('select 1 from runtime.schedules for update')
    const both = [daily.tick(), twiceADay.tick()]
    await lockWaits(databaseUrl, 2) // both have seen that it is due
    await other.query('commit')
    expect(await Promise.all(both)).toEqual([200, 200])
    expect(await count()).toBe(1)
  })
})

test('a pattern that is noted while a slot of the other is run does not run it again', async () => {
  await tick(daily, '2026-06-01T02:59:00Z')
  const other = await openSession(databaseUrl)
  await other.query('begin')
  await other.query(`insert into runtime.schedules (name, pattern, last_slot)
    values ('trial.sweep', '0 3,15 * * * UTC', '2026-06-01T02:59:00Z')`)
  expect(await tick(daily, '2026-06-01T03:00:00Z')).toBe(1)
  await other.query('commit')
  expect(await tick(twiceADay, '2026-06-01T03:00:01Z')).toBe(0)
  expect(await tick(twiceADay, '2026-06-01T15:00:00Z')).toBe(1)
})

describe('a schedule whose pattern is changed', () => {
  test.each([
    { what: 'cron', changed: at9, before: '2026-06-02T08:59:00Z', slot: '2026-06-02T09:00:00Z' },
    { what: 'time zone', changed: at9inTokyo, before: '2026-06-01T23:59:00Z', slot: '2026-06-02T00:00:00Z' },
  ])('starts over: $what', async ({ changed, before, slot }) => {
    await tick(daily, '2026-06-01T02:00:00Z')
    expect(await tick(daily, '2026-06-01T03:00:00Z')).toBe(1)
    await tick(daily, '2026-06-01T10:00:00Z')
    expect(await tick(changed, '2026-06-01T10:01:00Z')).toBe(0)
    expect(await tick(changed, before)).toBe(0)
    expect(await tick(changed, slot)).toBe(1)
  })

  test('runs a slot that comes between the last tick with the old one and the first with the new one', async () => {
    await tick(daily, '2026-06-01T02:59:30Z')
    expect(await tick(twiceADay, '2026-06-01T03:00:30Z')).toBe(1)
    expect(await tick(twiceADay, '2026-06-01T03:01:30Z')).toBe(0)
  })

  test('starts over also when it is changed back', async () => {
    await tick(at9, '2026-06-01T08:30:00Z')
    expect(await ticks(() => daily, '2026-06-01T08:31:00Z', 1)).toEqual([])
    expect(await ticks(() => at9, '2026-06-01T09:32:00Z', 1)).toEqual([])
  })
})

/** What a revision from before patterns does at a tick. @returns how many it found due */
async function tickOfOld(slot: string): Promise<number> {
  await query(`insert into runtime.schedules (name, last_slot) values ('trial.sweep', runtime.service_now())
    on conflict do nothing`)
  const due = await query(`select last_slot from runtime.schedules
    where name = 'trial.sweep' and last_slot < '${slot}' and '${slot}' <= runtime.service_now()`)
  if (due.length === 0) return 0
  await query(`update runtime.schedules set last_slot = runtime.service_now() where name = 'trial.sweep'`)
  return 1
}

describe('a revision from before patterns', () => {
  test('leaves a slot that it missed to the one after it', async () => {
    await setTime('2026-06-01T02:59:30Z')
    await query('insert into runtime.schedules (name, last_slot) values ($1, runtime.service_now())', [
      'trial.sweep',
    ])
    expect(await tick(daily, '2026-06-01T03:00:30Z')).toBe(1)
    expect(await tick(daily, '2026-06-01T03:01:30Z')).toBe(0)
  })

  test('runs no slot that the one after it has run, and the other way round', async () => {
    await setTime('2026-06-01T02:00:00Z')
    expect(await tickOfOld('2026-06-01T03:00:00Z')).toBe(0)
    await tick(daily, '2026-06-01T02:59:00Z')
    expect(await tick(daily, '2026-06-01T03:00:00Z')).toBe(1)
    expect(await tickOfOld('2026-06-01T03:00:00Z')).toBe(0)
    await setTime('2026-06-02T03:00:00Z')
    expect(await tickOfOld('2026-06-02T03:00:00Z')).toBe(1)
    expect(await tick(daily, '2026-06-02T03:01:00Z')).toBe(0)
    expect(await tick(daily, '2026-06-03T03:00:00Z')).toBe(1)
  })
})
