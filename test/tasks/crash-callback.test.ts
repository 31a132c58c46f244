import { afterEach, expect, test } from 'vitest'
import { stepProcess } from '#test/support/step-process.ts'
import type { Direction } from '#test/support/steps.ts'
import type { Moment, Tap } from '#test/support/tap.ts'

// Kills the process of a callback, at each word that it says.

const service = await stepProcess()
const { database, cloudTasks } = service

afterEach(service.reset)

const claim = /update "runtime"."tasks".*running/s
const finish = /update "runtime"."tasks".*done/s
const effect = /insert into "test_notes"/
const commit = /commit/
const reschedule = /update "runtime"."tasks".*It was told to fail/s
const createTask = /POST \/v2/
const markQueued = /update "runtime"."tasks" set state = 'queued'/
const bury = /update "runtime"."tasks".*dead/s

/** Seconds until it is mended by Cloud Tasks' retry, by that and the end of the lease, and by the tick. */
const byRetry = 1
const byLease = 40
const byTick = 90

const running = ['running 1/1']

type Point = [
  ...[what: string, moment: Moment, tap: Tap, words: RegExp[]],
  ...[left: string[], alarms: number, end: string, within: number],
]

async function killedAt(directions: Direction[], point: Point): Promise<void> {
  const [_what, moment, tap, words, left, alarms, end, within] = point
  await service.start()
  expect((await service.enqueue('Tea'))?.status).toBe(201)
  expect(await service.left()).toEqual({ tasks: ['queued 1/0'], alarms: 1 })
  service.directions.push(...directions)
  const { dead } = service.killAt(tap, moment, ...words)
  await service.emulator.settle()
  await dead
  expect(await service.left()).toEqual({ tasks: left, alarms })

  await service.start()
  expect(await service.finish()).toBeLessThanOrEqual(within)
  expect(await service.left()).toEqual({ tasks: [end], alarms: 0 })
  expect(service.directions).toEqual([])
}

test.each<Point>([
  ['the claim', 'before', database, [claim], ['queued 1/0'], 1, 'done 1/1', byRetry],
  ['the claim', 'after', database, [claim], running, 1, 'done 1/2', byLease],
  ['done', 'before', database, [finish], running, 1, 'done 1/2', byLease],
  ['done', 'after', database, [finish], running, 1, 'done 1/2', byLease],
  ['the effect', 'before', database, [effect], running, 1, 'done 1/2', byLease],
  ['the effect', 'after', database, [effect], running, 1, 'done 1/2', byLease],
  ['the commit of both', 'before', database, [finish, commit], running, 1, 'done 1/2', byLease],
  ['the commit of both', 'after', database, [finish, commit], ['done 1/1'], 1, 'done 1/1', byRetry],
])('%s: killed right %s it, and written once', async (...point) => {
  await killedAt([], point)
  expect(await service.written()).toEqual(['Tea'])
})

test.each<Point>([
  ['the reschedule', 'before', database, [reschedule], running, 1, 'done 1/2', byLease],
  ['the reschedule', 'after', database, [reschedule], ['pending 2/1'], 1, 'done 2/2', byTick],
  ['the next CreateTask', 'before', cloudTasks, [createTask], ['pending 2/1'], 1, 'done 2/2', byTick],
  ['the next CreateTask', 'after', cloudTasks, [createTask], ['pending 2/1'], 2, 'done 2/2', 5],
  ['the note that it is queued', 'before', database, [markQueued], ['pending 2/1'], 2, 'done 2/2', 5],
  ['the note that it is queued', 'after', database, [markQueued], ['queued 2/1'], 2, 'done 2/2', 5],
])('%s of a failed attempt: killed right %s it, and written once', async (...point) => {
  await killedAt(['fail'], point)
  expect(await service.written()).toEqual(['Tea'])
})

test('right before a task is given up: another attempt is made', async () => {
  const point: Point = ['', 'before', database, [bury], running, 1, 'dead 1/2', byLease]
  await killedAt(['fatal', 'fatal'], point)
  expect(await service.written()).toEqual([])
})

test('right after a task was given up: it stays so', async () => {
  const point: Point = ['', 'after', database, [bury], ['dead 1/1'], 1, 'dead 1/1', byRetry]
  await killedAt(['fatal'], point)
  expect(await service.written()).toEqual([])
})

test.each<[Moment, number]>([
  ['before', 1],
  ['after', 0],
])(
  'its death was told, and the process killed right %s that was noted: the tick tells it %i times more',
  async (moment, more) => {
    const first = await service.start()
    await service.enqueue('Tea')
    service.directions.push('fatal')
    const { dead } = service.killAt(database, moment, bury, /"announced_at"/)
    await service.emulator.settle()
    await dead
    const told = /is dead after 1 attempts/
    expect(first.lines.filter((line) => told.test(line))).toHaveLength(1)

    const second = await service.start()
    await service.finish()
    await service.advance(31_000)
    await service.tick()
    await service.tick()
    expect(second.lines.filter((line) => told.test(line))).toHaveLength(more)
    expect(await service.query('select from runtime.tasks where announced_at is null')).toEqual([])
  },
)
