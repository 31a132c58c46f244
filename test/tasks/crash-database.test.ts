import { afterEach, expect, test } from 'vitest'
import { exemptDatabase } from '#dev/guard/exempt.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { lockWaits, openSession } from '#test/support/session.ts'
import { type Direction, stepsFeature } from '#test/support/steps.ts'
import { type Moment, tap, through } from '#test/support/tap.ts'
import { taskService } from '#test/support/task-service.ts'
import { written } from '#test/support/work.ts'

// Cuts the connection to the database at each word of a callback, while the process lives on.

let direct: () => Promise<Direction>
const { feature } = stepsFeature(() => direct())
const databaseUrl = await makeDatabase()
let up = true
const database = await tap(() => (up ? Number(new URL(databaseUrl).port) : undefined))
const tapped = through(databaseUrl, database)
exemptDatabase(tapped)
const service = await taskService({
  ...{ features: [feature], databaseUrl },
  environment: { DATABASE_URL: tapped },
})
const api = await service.as('operator', ['runtime:admin'])

afterEach(async () => {
  await onServer(databaseUrl, 'truncate runtime.tasks, test_notes')
  await service.drain({ until: '1h' }) // whatever Cloud Tasks still holds is stale
})

async function enqueue(): Promise<void> {
  expect((await api('/steps', { json: { text: 'Tea' } })).status).toBe(201)
}

async function left(): Promise<string[]> {
  return (await service.ledger()).map((row) => `${row.state} ${row.dispatch}/${row.attempts}`)
}

const claim = /update "runtime"."tasks".*running/s
const finish = /update "runtime"."tasks".*done/s
const effect = /insert into "test_notes"/
const commit = /commit/
const reschedule = /update "runtime"."tasks".*It was told to fail/s
const bury = /update "runtime"."tasks".*dead/s

const once = ['Tea']
const never: string[] = []

type Point = [
  ...[what: string, moment: Moment, words: RegExp[]],
  ...[status: number, left: string, end: string, written: string[]],
]

test.each<[Direction, ...Point]>([
  ['write', 'the claim', 'before', [claim], 503, 'queued 1/0', 'done 1/1', once],
  ['write', 'the claim', 'after', [claim], 503, 'running 1/1', 'done 1/2', once],
  ['write', 'done', 'before', [finish], 200, 'queued 2/1', 'done 2/2', once],
  ['write', 'done', 'after', [finish], 200, 'queued 2/1', 'done 2/2', once],
  ['write', 'the effect', 'before', [effect], 200, 'queued 2/1', 'done 2/2', once],
  ['write', 'the effect', 'after', [effect], 200, 'queued 2/1', 'done 2/2', once],
  ['write', 'the commit of both', 'before', [finish, commit], 200, 'queued 2/1', 'done 2/2', once],
  ['write', 'the commit of both', 'after', [finish, commit], 200, 'done 1/1', 'done 1/1', once],
  ['rest', 'done, with no effect,', 'before', [finish], 200, 'queued 2/1', 'done 2/2', once],
  ['rest', 'done, with no effect,', 'after', [finish], 200, 'done 1/1', 'done 1/1', never],
  ['fail', 'the reschedule', 'before', [reschedule], 503, 'running 1/1', 'done 1/2', once],
  ['fail', 'the reschedule', 'after', [reschedule], 503, 'pending 2/1', 'done 2/2', once],
  ['fatal', 'the burial', 'before', [bury], 503, 'running 1/1', 'done 1/2', once],
  ['fatal', 'the burial', 'after', [bury], 503, 'dead 1/1', 'dead 1/1', never],
])('told to %s, %s: cut right %s it', async (direction, ...point) => {
  const [_what, moment, words, status, expected, end, effects] = point
  await enqueue()
  direct = async () => direction
  const sprung = database.at(moment, words)
  const [attempt] = await service.emulator.settle()
  await sprung
  expect(attempt).toMatchObject({ status })
  expect(await left()).toEqual([expected])
  direct = async () => 'write' // of any further attempt
  await service.drain({ until: '2m' })
  expect(await left()).toEqual([end])
  expect(await written(databaseUrl)).toEqual(effects)
})

test('a database that is gone when the run ends: 503, and a later success', async () => {
  await enqueue()
  direct = async () => {
    up = false
    database.cut()
    return 'write'
  }
  expect((await service.emulator.settle())[0]).toMatchObject({ status: 503 })
  expect(await left()).toEqual(['running 1/1'])
  direct = async () => 'write'
  await service.advance('1s')
  expect((await service.emulator.settle())[0]).toMatchObject({ status: 503 })
  up = true
  await service.drain({ until: '2m' })
  expect(await left()).toEqual(['done 1/2'])
  expect(await written(databaseUrl)).toEqual(['Tea'])
})

test('a COMMIT that waits while its connection is cut: whatever becomes of it, one effect', async () => {
  await onServer(
    databaseUrl,
    `create function wait() returns trigger language plpgsql as $$ begin
      perform pg_advisory_xact_lock(7); return null; end $$`,
  )
  await onServer(
    databaseUrl,
    `create constraint trigger wait after insert on test_notes deferrable initially deferred
      for each row execute function wait()`,
  )
  const lock = await openSession(databaseUrl)
  await lock.query('select pg_advisory_lock(7)')
  await enqueue()
  direct = async () => 'write'
  const settled = service.emulator.settle()
  await lockWaits(databaseUrl)
  database.cut() // the server's side works on
  await lockWaits(databaseUrl, 2) // the reschedule waits for the row
  await lock.query('select pg_advisory_unlock(7)')
  expect(await settled).toMatchObject([{ status: 200 }])
  await onServer(databaseUrl, 'drop trigger wait on test_notes')
  await service.drain({ until: '2m' })
  expect(await written(databaseUrl)).toEqual(['Tea'])
})

test('a task that is given back between the claim and the look keeps its alarm', async () => {
  await enqueue()
  const free = "update runtime.tasks set state = 'queued', lease = null, leased_until = null"
  const take =
    "update runtime.tasks set state = 'running', lease = gen_random_uuid(), leased_until = runtime.service_now() + interval '30 s'"
  await onServer(databaseUrl, take)
  direct = async () => 'write'
  const sprung = database.at('before', [/select .*"held"|select "name", "state", "dispatch"/], async () => {
    await onServer(databaseUrl, free)
    return 'go on'
  })
  expect(await service.emulator.settle()).toMatchObject([{ status: 409 }])
  await sprung
  await service.drain({ until: '10s' })
  expect(await left()).toEqual(['done 1/1'])
})
