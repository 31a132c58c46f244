import { setInterval } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type pg from 'pg'
import type { Shipment } from '#dev/warehouse.ts'
import type { Placed } from './clients.ts'

/** What others than the database know in the end. */
export interface Outside {
  readonly placed: readonly Placed[]
  readonly shipments: readonly Shipment[]
}

/** Has the database note each commit that fulfils an order or finishes a task, and in which transaction. */
export async function noteCommits(database: pg.Client): Promise<void> {
  await database.query(`
    create table commits (what text, id uuid, xact text default pg_current_xact_id()::text);
    create function note_commit() returns trigger language plpgsql as $$
      begin insert into commits (what, id) values (tg_argv[0], new.id); return null; end $$;
    create trigger note_commit after update on orders for each row
      when (new.status = 'fulfilled') execute function note_commit('order');
    create trigger note_commit after update on tasks for each row
      when (new.state = 'done') execute function note_commit('task')`)
}

/**
 * Resolves when no task is unfinished and Cloud Tasks holds no alarm, or when the signal aborts.
 *
 * @param alarms how many Cloud Tasks holds
 */
export async function atRest(database: pg.Client, alarms: () => number, signal: AbortSignal): Promise<void> {
  const unfinished = `select count(*)::int as count from tasks where state in ('pending', 'queued', 'running')`
  for await (const _ of setInterval(500)) {
    const { rows } = await database.query<{ count: number }>(unfinished)
    if ((rows[0]?.count === 0 && alarms() === 0) || signal.aborted) return
  }
}

/** What is not as it must be: one order for each key, fulfilled once, by one task, with one shipment. */
export async function findViolations(database: pg.Client, outside: Outside): Promise<string[]> {
  const { rows: found } = await database.query<{ id: string }>(`
    select orders.id, item, quantity, status, version, task_id,
      name as task, state, payload ->> 'orderId' as of, attempts between 1 and 8 as tried,
      (select array_agg(what order by what) from commits where commits.id in (orders.id, task_id)) as commits,
      (select count(distinct xact)::int from commits where commits.id in (orders.id, task_id)) as transactions,
      (select array_agg(key) from idempotency_keys where body::jsonb ->> 'id' = orders.id::text) as keys
    from orders left join tasks on tasks.id = task_id`)
  const orders = new Map(found.map((row) => [row.id, row]))
  const shipments = Map.groupBy(outside.shipments, ({ orderId }) => orderId)
  const violations: string[] = []

  for (const { key, id, item, quantity } of outside.placed) {
    const order: Record<string, unknown> = { ...orders.get(id) }
    const sent = shipments.get(id)?.map(({ key, item, quantity }) => ({ key, item, quantity }))
    orders.delete(id)
    shipments.delete(id)
    const expected = {
      ...{ id, item, quantity, status: 'fulfilled', version: 2, task_id: order.task_id },
      ...{ task: 'orders.fulfil', state: 'done', of: id, tried: true },
      ...{ commits: ['order', 'task'], transactions: 1, keys: [key] },
      sent: [{ key: order.task_id, item, quantity }],
    }
    if (!isDeepStrictEqual({ ...order, sent }, expected))
      violations.push(`The order of ${key} is ${JSON.stringify({ ...order, sent })}`)
  }
  for (const order of orders.values()) violations.push(`Nobody was answered ${JSON.stringify(order)}`)
  for (const id of shipments.keys()) violations.push(`A parcel was sent for ${id}, which nobody ordered`)

  const { rows: others } = await database.query(`
    select id, name, state, attempts, last_error from tasks where state <> 'done' or lease is not null
      or (name = 'orders.fulfil' and id not in (select task_id from orders where task_id is not null))`)
  for (const task of others) violations.push(`The ledger holds ${JSON.stringify(task)}`)
  return violations
}

/** How much had to be done more than once. */
export async function summarise(database: pg.Client, { placed, shipments }: Outside) {
  const { rows } = await database.query<Record<string, number>>(`
    select sum(attempts)::int as attempts, max(attempts) as "mostAttempts",
      sum(dispatch)::int as dispatches, max(dispatch) as "mostDispatches" from tasks`)
  const requests = placed.reduce((sum, { tries }) => sum + tries, 0)
  const calls = shipments.reduce((sum, shipment) => sum + shipment.calls, 0)
  return { requests, ...rows[0], shipments: shipments.length, shipmentCalls: calls }
}
