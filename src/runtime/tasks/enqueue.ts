import { randomUUIDv7 } from 'node:crypto'
import { and, eq } from 'drizzle-orm'
import type { z } from 'zod'
import type { Transaction } from '../database/database.ts'
import { defineQuery, type QueryValues } from '../database/define-query.ts'
import { fromNow } from '../database/now.ts'
import { afterCommit } from '../database/transaction.ts'
import { currentRequest } from '../kernel/context.ts'
import { type Duration, toMilliseconds } from '../kernel/duration.ts'
import { deliveryColumns } from './delivery.ts'
import { checkKey } from './enqueue-key.ts'
import { addToOutbox, currentRevision } from './outbox.ts'
import { stateIs, tasks } from './table.ts'
import { roundTripJson, type Task } from './task.ts'
import { traceEnqueued } from './task-context.ts'

/** When the task runs, and whether it is unique. */
export interface EnqueueOptions {
  /** The task runs no earlier than this long from now. */
  readonly delay?: Duration
  /** The task runs no earlier than this time. `delay` is ignored then. */
  readonly at?: Date
  /**
   * Makes the task unique among the unfinished tasks of its name: a second one with the same key is not enqueued. 1,000
   * bytes at most.
   */
  readonly key?: string
}

const unfinished = stateIs('pending', 'queued', 'running')

/** When a task is due: at a time, or so many milliseconds from now. */
interface Due {
  readonly at?: Date
  readonly delay?: number
}

interface NewTask extends Due, Partial<ReturnType<typeof originOf>> {
  readonly id: string
  readonly name: string
  readonly payload: unknown
  readonly key?: string | undefined
  readonly limitKey?: string | undefined
}

const insertTask = defineQuery((database, { at, delay, ...row }: QueryValues<NewTask>) => {
  const insert = database.insert(tasks).values({ ...row, dueAt: at ?? fromNow(delay ?? 0) })
  const { name, key } = tasks
  if (row.key) insert.onConflictDoNothing({ target: [name, key], where: unfinished })
  return insert.returning(deliveryColumns)
})

/**
 * Enqueues a task in the caller's transaction: the task exists if, and only if, the transaction commits. Inside a
 * request, the task is sent to Cloud Tasks before the response; outside, the next tick sends it.
 *
 * @returns the task's id. If another unfinished task has the key: that task's id, and `enqueued: false`
 * @throws {z.ZodError} for a payload that the task does not take, as it is after a round trip through JSON
 * @throws {TypeError} naming the task, for a wrong `delay`, `at` or `key`
 * @example
 * const { id } = await enqueue(tx, fulfilOrder, { orderId: order.id }, { delay: '10s' })
 */
export async function enqueue<Payload extends z.ZodType>(
  tx: Transaction,
  task: Task<Payload>,
  payload: z.input<Payload>,
  options: EnqueueOptions = {},
): Promise<{ id: string; enqueued: boolean }> {
  const { key } = options
  const due = dueOf(task, options)
  if (key !== undefined) checkKey(task, key)
  const json = roundTripJson(task, payload)
  const parsed = task.payload.parse(json)
  const row = {
    ...{ id: randomUUIDv7(), name: task.name, payload: json, ...due, key },
    ...{ limitKey: task.limit?.key(parsed), ...originOf() },
  }
  for (;;) {
    const [delivery] = await insertTask(tx, row)
    if (delivery || key === undefined) {
      afterCommit(tx, () => {
        addToOutbox(delivery)
        traceEnqueued(row.name, row.id)
      })
      return { id: row.id, enqueued: true }
    }
    const [holder] = await tx
      .select({ id: tasks.id })
      .from(tasks)
      .where(and(eq(tasks.name, task.name), eq(tasks.key, key), unfinished))
    if (holder) return { id: holder.id, enqueued: false } // otherwise that task has just finished: try again
  }
}

/** The columns that say which request enqueues. */
export function originOf() {
  const request = currentRequest()
  return {
    requestId: request?.requestId,
    traceId: request?.trace.traceId,
    subject: request?.subject,
    revision: currentRevision(),
  }
}

/** The last time that PostgreSQL and ISO 8601 write in the same way. */
const lastMoment = Date.UTC(9999, 11, 31)

/** When a task is due. @throws {TypeError} naming the task, for a wrong `delay` or `at` */
export function dueOf(
  { name }: Pick<Task, 'name'>,
  { at, delay }: Pick<EnqueueOptions, 'at' | 'delay'>,
): Due {
  if (at === undefined)
    return { delay: delay === undefined ? 0 : toMilliseconds(delay, `The task ${name}: its delay`) }
  if (at.getTime() >= 0 && at.getTime() <= lastMoment) return { at }
  throw new TypeError(`The task ${name}: its \`at\` must be a time from 1970 to 9999.`)
}
