import { randomUUIDv7 } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Transaction } from '../database/database.ts'
import { fromNow, now } from '../database/now.ts'
import { afterCommit } from '../database/transaction.ts'
import type { BatchCounts } from './batch-counts.ts'
import { batchCounts, batches } from './batch-table.ts'
import { deliveryColumns } from './delivery.ts'
import { dueOf, type EnqueueOptions, originOf } from './enqueue.ts'
import { handOverMore } from './hand-over.ts'
import { addToOutbox, roomInOutbox } from './outbox.ts'
import { tasks } from './table.ts'
import { roundTripJson, type Task } from './task.ts'
import { traceBatch, traceFinal } from './task-context.ts'

/** When the tasks of a batch run, and what follows. */
export interface EnqueueManyOptions<Final extends z.ZodType = z.ZodType>
  extends Pick<EnqueueOptions, 'at' | 'delay'> {
  /**
   * The task that is enqueued when all tasks of the batch have ended, and its payload. The runtime adds `batch` to the payload:
   * see `BatchCounts`.
   */
  readonly finally?: readonly [task: Task<Final>, payload: Omit<z.input<Final>, 'batch'>]
}

/** How many payloads one call takes. */
const maxSize = 10_000
/** When a task was sent last, if it is for others to send it. */
const longAgo = fromNow(-60_000)

/**
 * Enqueues a task for each payload, as one batch, in the caller's transaction. The request sends the first 20; each of them
 * sends more when it ends. When all of them have ended (done, dead or cancelled), `finally` is enqueued exactly once, in the
 * transaction of the last one. If there are no payloads, it is enqueued at once.
 *
 * @param payloads 10,000 at most
 * @returns the id of the batch, and the ids of the tasks in the order of their payloads
 * @throws {z.ZodError} for payloads that the task does not take; each path starts with the payload's index
 * @throws {TypeError} naming the task, for a wrong `delay` or `at`, and for too many payloads
 * @example
 * const payloads = [{ orderId: '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f' }]
 * const { id } = await enqueueMany(tx, fulfilOrder, payloads, { delay: '10s' })
 */
export async function enqueueMany<Payload extends z.ZodType, Final extends z.ZodType = z.ZodType>(
  tx: Transaction,
  task: Task<Payload>,
  payloads: readonly z.input<Payload>[],
  options: EnqueueManyOptions<Final> = {},
): Promise<{ id: string; taskIds: string[] }> {
  const { at, delay } = dueOf(task, options)
  const { json, limitKeys } = payloadsOf(task, payloads)
  const id = randomUUIDv7()
  const taskIds = json.map(() => randomUUIDv7()).sort() // those of one millisecond are in no order
  const slots = Map.groupBy(taskIds, (id) => Number.parseInt(id.slice(-1), 16))
  const origin = originOf()
  const final = finalColumns(options.finally, { id, size: json.length, done: 0, dead: 0, cancelled: 0 })
  await tx.insert(batches).values({
    ...{ id, name: task.name, size: json.length, open: slots.size, ...origin, ...final },
  })
  if (json.length === 0) {
    await tx.execute(sql`select runtime.end_batch(${id})`)
    afterCommit(tx, () => {
      if (final) traceFinal(final.finalName, final.finalId)
      handOverMore({ batchId: id })
    })
    return { id, taskIds }
  }
  const counters = [...slots].map(([slot, { length: open }]) => ({ batchId: id, slot, open }))
  await tx.insert(batchCounts).values(counters)
  const room = roomInOutbox()
  const { requestId, traceId, subject, revision } = origin
  await tx.execute(sql`
    insert into ${tasks}
      (id, name, payload, due_at, touched_at, batch_id, limit_key, request_id, trace_id, subject, revision)
    select child.id, ${task.name}, child.payload, ${at ?? fromNow(delay ?? 0)}, case when n <= ${room} then ${now} else ${longAgo} end, ${id}, child.limit_key,
      ${requestId ?? null}, ${traceId ?? null}, ${subject ?? null}, ${revision ?? null}
    from unnest(${sql.param(taskIds)}::uuid[], ${sql.param(json)}::jsonb[], ${sql.param(limitKeys)}::text[])
      with ordinality as child (id, payload, limit_key, n)`)
  const first = await tx
    .select(deliveryColumns)
    .from(tasks)
    .where(sql`${tasks.id} = any(${sql.param(taskIds.slice(0, room))}::uuid[])`)
  afterCommit(tx, () => {
    first.forEach(addToOutbox)
    traceBatch(task.name, id, json.length)
    if (final) traceFinal(final.finalName, final.finalId)
  })
  return { id, taskIds }
}

/** The payloads as JSON, checked, and the keys of their limits. */
function payloadsOf(task: Task, payloads: readonly unknown[]) {
  if (payloads.length > maxSize)
    throw new TypeError(
      `The task ${task.name}: enqueueMany takes ${maxSize} payloads at most, and got ${payloads.length}. Enqueue several batches.`,
    )
  const issues: z.core.$ZodIssue[] = []
  const limitKeys: (string | null)[] = []
  const json = payloads.map((payload, index) => {
    const stored = roundTripJson(task, payload)
    const { error, data } = task.payload.safeParse(stored)
    for (const issue of error?.issues ?? []) issues.push({ ...issue, path: [index, ...issue.path] })
    limitKeys.push(error ? null : (task.limit?.key(data) ?? null))
    return JSON.stringify(stored)
  })
  if (issues.length > 0) throw new z.ZodError(issues)
  return { json, limitKeys }
}

/** The columns of the final task. Its payload is checked now, with these counts. */
function finalColumns(final: EnqueueManyOptions['finally'], batch: BatchCounts) {
  if (!final) return
  const [task, payload] = final
  const stored = roundTripJson(task, { ...payload, batch })
  task.payload.parse(stored)
  return { finalId: randomUUIDv7(), finalName: task.name, finalPayload: stored }
}
