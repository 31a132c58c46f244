import { callers } from './environment.ts'
import { query } from './postgres.ts'

/** How many rows a database has. */
export interface Size {
  readonly orders: number
  readonly done: number
  readonly pending: number
  readonly dead: number
}

/** Fills a database: orders of all callers, five of each cancelled, and a ledger of tasks from the last six days. */
export async function grow(databaseUrl: string, { orders, done, pending, dead }: Size): Promise<void> {
  const each = Math.ceil(orders / callers.length)
  await query(databaseUrl, 'truncate orders, runtime.tasks cascade')
  await query(
    databaseUrl,
    `insert into orders (id, owner, item, quantity, status)
     select ('0190f0f0-0000-7' || lpad(c::text, 3, '0') || '-8000-' || lpad(o::text, 12, '0'))::uuid,
       'caller-' || lpad(c::text, 2, '0'), 'Teapot', 2, case when o < 5 then 'cancelled' else 'fulfilled' end
     from generate_series(0, ${each - 1}) o, generate_series(0, ${callers.length - 1}) c`,
  )
  // tasks that are due in more than 29 days stay pending
  const ledger = [
    ['done', done, "now() - interval '6 days' * n / count", "now() - interval '6 days' * n / count"],
    ['pending', pending, "now() + interval '60 days'", 'null'],
    ['dead', dead, "now() - interval '6 days' * n / count", "now() - interval '6 days' * n / count"],
  ] as const
  for (const [state, count, dueAt, finishedAt] of ledger) {
    await query(
      databaseUrl,
      `insert into runtime.tasks (id, name, state, payload, attempts, due_at, finished_at, announced_at, subject, revision)
       select gen_random_uuid(), 'orders.fulfil', '${state}', '{"orderId":"0190f0f0-0000-7000-8000-000000000001"}', 1,
         ${dueAt}, ${finishedAt}, ${state === 'dead' ? 'now()' : 'null'}, 'caller-00', 'bench'
       from (select n, ${count} as count from generate_series(1, ${count}) n) rows`,
    )
  }
  await query(databaseUrl, 'vacuum analyze orders, runtime.tasks')
}

/** Adds tasks that Cloud Tasks has: a callback can claim each of them once. @returns their ids */
export async function addQueued(databaseUrl: string, count: number): Promise<string[]> {
  const rows = await query<{ id: string }>(
    databaseUrl,
    `insert into runtime.tasks (id, name, state, payload, due_at)
     select gen_random_uuid(), 'orders.fulfil', 'queued', '{"orderId":"0190f0f0-0000-7000-8000-000000000001"}', now()
     from generate_series(1, ${count}) returning id`,
  )
  return rows.map(({ id }) => id)
}
