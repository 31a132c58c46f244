import { createHash, randomUUIDv7 } from 'node:crypto'
import { settings } from './settings.ts'

/** A row of `orders`, as `pg` returns it. */
export interface OrderRow {
  id: string
  owner: string
  item: string
  quantity: number
  status: string
  version: number
  created_at: Date
}

const columns = 'id, owner, item, quantity, status, task_id, version, created_at'

/** What PostgreSQL is asked: the same of all contestants that write SQL by hand. */
export const statements = {
  find: `select ${columns} from orders where id = $1 and owner = $2`,
  list: `select ${columns} from orders where owner = $1 order by id desc limit $2`,
  listAfter: `select ${columns} from orders where owner = $1 and id < $3 order by id desc limit $2`,
  insertTask: `insert into runtime.tasks (id, name, payload, due_at, request_id, trace_id, subject, revision)
    values ($1, 'orders.fulfil', $2, runtime.service_now() + interval '5 seconds', $3, $4, $5, $6) returning due_at`,
  insertOrder: `insert into orders (id, owner, item, quantity, task_id) values ($1, $2, $3, $4, $5) returning ${columns}`,
  markQueued: `update runtime.tasks set state = 'queued', touched_at = greatest(runtime.service_now(), due_at)
    where id = $1 and dispatch = 1 and state = 'pending'`,
}

/** The order as the contract shows it. */
export function presentOrder(row: OrderRow) {
  const { id, item, quantity, status } = row
  return { id, item, quantity, status, createdAt: row.created_at.toISOString() }
}

/** The ids of a new order and its task. */
export function newIds() {
  return { orderId: randomUUIDv7(), taskId: randomUUIDv7() }
}

/** The call that hands a task over to Cloud Tasks: where it goes, and its body. */
export function createTaskCall(taskId: string, dueAt: Date) {
  const { queue, tasksUrl, tasksHost, invoker } = settings
  const name = `${taskId}-1`
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8)
  const task = {
    name: `${queue}/tasks/${hash}-${name}`,
    httpRequest: {
      url: `${tasksUrl}/runtime/callbacks/orders.fulfil`,
      httpMethod: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: Buffer.from(JSON.stringify({ id: taskId, dispatch: 1 })).toString('base64'),
      oidcToken: { serviceAccountEmail: invoker, audience: tasksUrl },
    },
    dispatchDeadline: '45s',
    scheduleTime: dueAt.toISOString(),
  }
  return { url: `http://${tasksHost}/v2/${queue}/tasks`, body: JSON.stringify({ task }) }
}

/** A row's id as the cursor of the next page. */
export function toCursor(id: string): string {
  return Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url')
}

/** The id in a cursor. */
export function fromCursor(cursor: string): string {
  return Buffer.from(cursor, 'base64url')
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
