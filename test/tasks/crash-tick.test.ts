import { afterEach, expect, test } from 'vitest'
import { stepProcess } from '#test/support/step-process.ts'
import type { Moment, Tap } from '#test/support/tap.ts'

// Kills the process of a tick, at each word that it says.

const service = await stepProcess()
const { database, cloudTasks } = service

afterEach(service.reset)

const take = /update "runtime"."tasks" set "touched_at"/
const reclaim = /update "runtime"."tasks" set "state"/
const createTask = /POST \/v2/
const getTask = /GET \/v2/
const markQueued = /update "runtime"."tasks" set state = 'queued'/
const insert = /insert into "runtime"."tasks"/
const commit = /commit/
const prune = /delete from "runtime"."tasks"/
const announce = /update "runtime"."tasks" set "announced_at"/

type Point = [
  ...[what: string, moment: Moment, tap: Tap, words: RegExp[]],
  ...[left: string[], alarms: number],
]

/** Has a tick killed at a point. */
async function tickKilledAt([_what, moment, tap, words, left, alarms]: Point): Promise<void> {
  const { dead } = service.killAt(tap, moment, ...words)
  expect(await service.tick()).toBe(504)
  await dead
  expect(await service.left()).toEqual({ tasks: left, alarms })
  await service.start()
}

test.each<Point>([
  ['the taking of what is pending', 'before', database, [take, take], ['pending 1/0'], 0],
  ['the taking of what is pending', 'after', database, [take, take], ['pending 1/0'], 0],
  ['CreateTask', 'before', cloudTasks, [createTask], ['pending 1/0'], 0],
  ['CreateTask', 'after', cloudTasks, [createTask], ['pending 1/0'], 1],
  ['the note that it is queued', 'before', database, [markQueued], ['pending 1/0'], 1],
  ['the note that it is queued', 'after', database, [markQueued], ['queued 1/0'], 1],
])('%s: killed right %s it, a later tick sends it', async (...point) => {
  await service.start()
  service.emulator.faults.set({ createUnavailable: 1 })
  await service.enqueue('Tea')
  service.emulator.faults.set({})
  expect(await service.left()).toEqual({ tasks: ['pending 1/0'], alarms: 0 })
  await service.advance(31_000)
  await tickKilledAt(point)
  expect(await service.finish()).toBeLessThanOrEqual(90)
  expect(await service.left()).toEqual({ tasks: ['done 1/1'], alarms: 0 })
  expect(await service.written()).toEqual(['Tea'])
})

test.each<Point>([
  ['before', 'before', database, [reclaim], ['running 1/1'], 1],
  ['after', 'after', database, [reclaim], ['pending 2/1'], 1],
])('killed right %s it took a killed process’s task back', async (...point) => {
  await service.start()
  await service.enqueue('Tea')
  service.directions.push('die')
  await service.emulator.settle()
  await service.start()
  await service.advance(30_001)
  await tickKilledAt(point)
  expect(await service.finish()).toBeLessThanOrEqual(60)
  expect(await service.written()).toEqual(['Tea'])
  expect(await service.ledger()).toMatchObject([{ state: 'done', attempts: 2 }])
})

test.each<Point>([
  ['the taking of what is overdue', 'before', database, [take], ['queued 1/0'], 0],
  ['the taking of what is overdue', 'after', database, [take], ['queued 1/0'], 0],
  ['GetTask', 'before', cloudTasks, [getTask], ['queued 1/0'], 0],
  ['GetTask', 'after', cloudTasks, [getTask], ['queued 1/0'], 0],
  ['the taking back', 'before', database, [take, reclaim], ['queued 1/0'], 0],
  ['the taking back', 'after', database, [take, reclaim], ['pending 2/0'], 0],
])('an alarm was lost, %s: killed right %s it, a later tick finds out', async (...point) => {
  await service.start()
  await service.enqueue('Tea')
  await service.loseAlarms()
  await service.advance(601_000)
  await tickKilledAt(point)
  expect(await service.finish()).toBeLessThanOrEqual(660)
  expect(await service.left()).toEqual({ tasks: ['done 2/1'], alarms: 0 })
  expect(await service.written()).toEqual(['Tea'])
})

test.each<Point>([
  ['the insert', 'before', database, [insert], [], 0],
  ['the insert', 'after', database, [insert], [], 0],
  ['the commit', 'before', database, [insert, commit], [], 0],
  ['the commit', 'after', database, [insert, commit], ['pending 1/0'], 0],
])('a slot of a schedule, %s: killed right %s it, it is enqueued once', async (...point) => {
  await service.start()
  await service.tick() // the schedule begins
  await service.query("update runtime.schedules set last_slot = last_slot - interval '1 year'")
  await tickKilledAt(point)
  await service.tick()
  await service.tick()
  expect(await service.left()).toMatchObject({ tasks: [expect.any(String)] })
})

test.each<Point>([
  ['before', 'before', database, [prune], ['done 1/1'], 0],
  ['after', 'after', database, [prune], [], 0],
])('killed right %s it deleted what has been over for long: the next tick does', async (...point) => {
  await service.start()
  await service.enqueue('Tea')
  await service.finish()
  await service.advance(8 * 86_400_000)
  await tickKilledAt(point)
  expect(await service.tick()).toBe(200)
  expect(await service.ledger()).toEqual([])
})

test.each<[...Point, times: number]>([
  ['the note', 'before', database, [announce], ['dead 1/1'], 0, 1],
  ['the note', 'after', database, [announce], ['dead 1/1'], 0, 1],
  ['its commit', 'before', database, [announce, commit], ['dead 1/1'], 0, 1],
  ['its commit', 'after', database, [announce, commit], ['dead 1/1'], 0, 0],
])('a death went untold, %s: killed right %s it, the next tick tells', async (...row) => {
  const [what, moment, tap, words, left, alarms, times] = row
  await service.start()
  await service.enqueue('Tea')
  service.directions.push('fatal')
  await service.finish()
  await service.query('update runtime.tasks set announced_at = null') // as where the process ended before it could
  await service.advance(31_000)
  const told = () => service.process.lines.filter((line) => /is dead after 1 attempts/.test(line))
  await tickKilledAt([what, moment, tap, words, left, alarms])
  await service.tick()
  await service.tick()
  expect(told()).toHaveLength(times)
  expect(await service.query('select from runtime.tasks where announced_at is null')).toEqual([])
})
