import { afterEach, expect, test } from 'vitest'
import { exemptDatabase } from '#dev/guard/exempt.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { lockWaits, openSession } from '#test/support/session.ts'
import { type Direction, stepsFeature } from '#test/support/steps.ts'
import { type Moment, type Path, tap, through } from '#test/support/tap.ts'
import { taskService } from '#test/support/task-service.ts'
import { written } from '#test/support/work.ts'

// Cuts the connection to the database at each point of a callback, while the process lives on.

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
  await onServer(databaseUrl, 'truncate runtime.tasks, runtime.steps, runtime.signals, test_notes')
  await service.drain({ until: '1h' }) // whatever Cloud Tasks still holds is stale
})

async function enqueue(): Promise<void> {
  expect((await api('/steps', { json: { text: 'Tea' } })).status).toBe(201)
}

async function left(): Promise<string[]> {
  return (await service.ledger()).map((row) => `${row.state} ${row.dispatch}/${row.attempts}`)
}

interface Cut {
  /** What the attempt is told. */
  readonly told: Direction
  readonly moment: Moment
  readonly at: Path
  readonly status: number
  readonly left: string
  readonly end: string
  readonly effects: string[]
}

const once = ['Tea']
const never: string[] = []
const retried = { status: 200, left: 'queued 2/1', end: 'done 2/2', effects: once }
const rescued = { status: 503, left: 'running 1/1', end: 'done 1/2', effects: once }

test.each<Cut>([
  {
    ...{ told: 'write', moment: 'before', at: 'claim' },
    ...{ status: 503, left: 'queued 1/0', end: 'done 1/1', effects: once },
  },
  { told: 'write', moment: 'after', at: 'claim', ...rescued },
  { told: 'write', moment: 'before', at: 'markDone', ...retried },
  { told: 'write', moment: 'after', at: 'markDone', ...retried },
  { told: 'write', moment: 'before', at: 'effect', ...retried },
  { told: 'write', moment: 'after', at: 'effect', ...retried },
  { told: 'write', moment: 'before', at: ['markDone', 'commit'], ...retried },
  { told: 'write', moment: 'after', at: ['markDone', 'commit'], ...over('done', once) },
  { told: 'rest', moment: 'before', at: 'markDone', ...retried },
  { told: 'rest', moment: 'after', at: 'markDone', ...over('done', never) },
  { told: 'fail', moment: 'before', at: 'requeueForRetry', ...rescued },
  { told: 'fail', moment: 'after', at: 'requeueForRetry', ...retried, status: 503, left: 'pending 2/1' },
  { told: 'fatal', moment: 'before', at: 'markDead', ...rescued },
  { told: 'fatal', moment: 'after', at: 'markDead', ...over('dead', never), status: 503 },
])(
  'told to $told: cut right $moment $at',
  async ({ told, moment, at, status, left: expected, end, effects }) => {
    await enqueue()
    direct = async () => told
    const sprung = database.at(moment, at)
    const [attempt] = await service.emulator.settle()
    await sprung
    expect(attempt).toMatchObject({ status })
    expect(await left()).toEqual([expected])
    direct = async () => 'write' // of any further attempt
    await service.drain({ until: '2m' })
    expect(await left()).toEqual([end])
    expect(await written(databaseUrl)).toEqual(effects)
  },
)

/** How a task ends at its first attempt. */
function over(state: string, effects: string[]) {
  return { status: 200, left: `${state} 1/1`, end: `${state} 1/1`, effects }
}

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

test('a task that is given back between the claim and the look keeps its delivery', async () => {
  await enqueue()
  const free = "update runtime.tasks set state = 'queued', lease = null, leased_until = null"
  const take =
    "update runtime.tasks set state = 'running', lease = gen_random_uuid(), leased_until = runtime.service_now() + interval '30 s'"
  await onServer(databaseUrl, take)
  direct = async () => 'write'
  const sprung = database.at('before', 'findState', async () => {
    await onServer(databaseUrl, free)
    return 'go on'
  })
  expect(await service.emulator.settle()).toMatchObject([{ status: 409 }])
  await sprung
  await service.drain({ until: '10s' })
  expect(await left()).toEqual(['done 1/1'])
})
