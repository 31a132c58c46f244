import { setInterval } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type pg from 'pg'
import type { Shipment } from './carrier.ts'
import type { Accepted } from './clients.ts'

/** What others than the database know in the end. */
export interface Outside {
  readonly accepted: readonly Accepted[]
  readonly shipments: readonly Shipment[]
}

/** Has the database note each commit that sends a parcel or finishes a task, and in which transaction. */
export async function noteCommits(database: pg.Client): Promise<void> {
  await database.query(`
    create table test_commits (what text, id uuid, xact text default pg_current_xact_id()::text);
    create function note_commit() returns trigger language plpgsql as $$
      begin insert into test_commits (what, id) values (tg_argv[0], new.id); return null; end $$;
    create trigger note_commit after update on test_parcels for each row
      when (new.status = 'sent') execute function note_commit('parcel');
    create trigger note_commit after update on runtime.tasks for each row
      when (new.state = 'done') execute function note_commit('task')`)
}

/**
 * Resolves when no task is unfinished and Cloud Tasks holds no delivery, or when the signal aborts.
 *
 * @param deliveries how many Cloud Tasks holds
 */
export async function atRest(
  database: pg.Client,
  deliveries: () => number,
  signal: AbortSignal,
): Promise<void> {
  const unfinished = `select count(*)::int as count from runtime.tasks where state in ('pending', 'queued', 'running')`
  for await (const _ of setInterval(500)) {
    const { rows } = await database.query<{ count: number }>(unfinished)
    if ((rows[0]?.count === 0 && deliveries() === 0) || signal.aborted) return
  }
}

/** What is not as it must be: one parcel for each key, sent once, by one task, with one shipment. */
export async function findViolations(database: pg.Client, outside: Outside): Promise<string[]> {
  const { rows: found } = await database.query<{ id: string }>(`
    select parcels.id, item, quantity, status, version, task_id,
      name as task, state, payload ->> 'parcelId' as of, attempts between 1 and 8 as tried,
      (select array_agg(what order by what) from test_commits where test_commits.id in (parcels.id, task_id)) as commits,
      (select count(distinct xact)::int from test_commits where test_commits.id in (parcels.id, task_id)) as transactions,
      (select array_agg(key) from runtime.idempotency_keys where convert_from(body, 'utf8')::jsonb ->> 'id' = parcels.id::text) as keys
    from test_parcels as parcels left join runtime.tasks on tasks.id = task_id`)
  const parcels = new Map(found.map((row) => [row.id, row]))
  const shipments = Map.groupBy(outside.shipments, ({ parcelId }) => parcelId)
  const violations: string[] = []

  for (const { key, id, item, quantity } of outside.accepted) {
    const parcel: Record<string, unknown> = { ...parcels.get(id) }
    const sent = shipments.get(id)?.map(({ key, item, quantity }) => ({ key, item, quantity }))
    parcels.delete(id)
    shipments.delete(id)
    const expected = {
      ...{ id, item, quantity, status: 'sent', version: 2, task_id: parcel.task_id },
      ...{ task: 'parcels.send', state: 'done', of: id, tried: true },
      ...{ commits: ['parcel', 'task'], transactions: 1, keys: [key] },
      sent: [{ key: parcel.task_id, item, quantity }],
    }
    if (!isDeepStrictEqual({ ...parcel, sent }, expected))
      violations.push(`The parcel of ${key} is ${JSON.stringify({ ...parcel, sent })}`)
  }
  for (const parcel of parcels.values())
    violations.push(`No client got a response for ${JSON.stringify(parcel)}`)
  for (const id of shipments.keys()) violations.push(`The carrier has ${id}, which nobody has sent`)

  const { rows: others } = await database.query(`
    select id, name, state, attempts, last_error from runtime.tasks where state <> 'done' or lease is not null
      or (name = 'parcels.send' and id not in (select task_id from test_parcels))`)
  for (const task of others) violations.push(`The ledger holds ${JSON.stringify(task)}`)
  return violations
}

/** How much had to be done more than once. */
export async function summarise(database: pg.Client, { accepted, shipments }: Outside) {
  const { rows } = await database.query<Record<string, number>>(`
    select sum(attempts)::int as attempts, max(attempts) as "mostAttempts",
      sum(dispatch)::int as dispatches, max(dispatch) as "mostDispatches" from runtime.tasks`)
  const requests = accepted.reduce((sum, { tries }) => sum + tries, 0)
  const calls = shipments.reduce((sum, shipment) => sum + shipment.calls, 0)
  return { requests, ...rows[0], shipments: shipments.length, shipmentCalls: calls }
}
