import { afterEach, expect, test } from 'vitest'
import { stepProcess } from '#test/support/step-process.ts'
import type { Moment, Tap } from '#test/support/tap.ts'

// Kills the process of a request that enqueues, at each word that it says.

const service = await stepProcess()
const { database, cloudTasks } = service

afterEach(service.reset)

const insert = /insert into "runtime"."tasks"/
const commit = /commit/
const createTask = /POST \/v2/
const markQueued = /update "runtime"."tasks" set state = 'queued'/

const nothing: string[] = []
const pending = ['pending 1/0']
/** Seconds until it is mended by Cloud Tasks, which has the alarm, and by the tick. */
const atOnce = 0
const byTick = 90

type Point = [
  ...[what: string, moment: Moment, tap: Tap, words: RegExp[]],
  ...[left: string[], alarms: number, within: number],
]

test.each<Point>([
  ['the insert', 'before', database, [insert], nothing, 0, atOnce],
  ['the insert', 'after', database, [insert], nothing, 0, atOnce],
  ['the commit', 'before', database, [insert, commit], nothing, 0, atOnce],
  ['the commit', 'after', database, [insert, commit], pending, 0, byTick],
  ['CreateTask', 'before', cloudTasks, [createTask], pending, 0, byTick],
  ['CreateTask', 'after', cloudTasks, [createTask], pending, 1, atOnce],
  ['the note that it is queued', 'before', database, [markQueued], pending, 1, atOnce],
  ['the note that it is queued', 'after', database, [markQueued], ['queued 1/0'], 1, atOnce],
])('%s: killed right %s it', async (_what, moment, tap, words, left, alarms, within) => {
  await service.start()
  const { dead } = service.killAt(tap, moment, ...words)
  expect(await service.enqueue('Tea')).toBeUndefined()
  await dead
  expect(await service.left()).toEqual({ tasks: left, alarms })

  await service.start()
  const again = await service.enqueue('Tea') // the client, who heard nothing, asks again under its key
  expect(again?.status).toBe(201)
  expect(again?.headers.get('idempotency-replayed')).toBe(left.length > 0 ? 'true' : null)
  expect(await service.finish()).toBeLessThanOrEqual(within)
  expect(await service.left()).toEqual({ tasks: ['done 1/1'], alarms: 0 })
  expect(await service.written()).toEqual(['Tea'])
})

test('a script enqueues without Cloud Tasks, and may end right after: the tick sends it', async () => {
  await service.start()
  expect((await service.enqueue('Tea'))?.status).toBe(201)
  await service.finish()
  await service.query(`insert into runtime.tasks (id, name, payload, due_at)
      select gen_random_uuid(), name, payload || '{"text": "Coffee"}', runtime.service_now() from runtime.tasks`)
  expect(await service.finish()).toBeLessThanOrEqual(byTick)
  expect(await service.written()).toEqual(['Coffee', 'Tea'])
})
