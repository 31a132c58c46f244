import { type Cancellation, cancelTask, type Database, Problem, problems } from '#runtime'
import { orderProblems } from './problems.ts'
import { cancelPlacedOrder, findOrder } from './store.ts'
import type { OrderRow } from './table.ts'

/**
 * Cancels a placed order of its owner, and its task with it, in one transaction: the task's row is locked first,
 * as fulfilling does.
 *
 * @param versions the versions at which it may be cancelled; any, if absent
 * @returns the order as it is now; one that was cancelled before is left as it is
 * @throws {Problem} ORDER_NOT_FOUND; PRECONDITION_FAILED; ORDER_FULFILLED; ORDER_IN_FULFILMENT, where an attempt
 *   to fulfil it was ever made
 */
export async function cancelOrder(
  database: Database,
  owner: string,
  id: string,
  versions: number[] | undefined,
): Promise<OrderRow> {
  return database.transaction(async (tx) => {
    const found = await findOrder(tx, owner, id)
    if (!found) throw new Problem(orderProblems.ORDER_NOT_FOUND)
    const task = found.taskId === null ? 'gone' : await cancelTask(tx, found.taskId)
    const cancelled = await cancelPlacedOrder(tx, owner, id, versions)
    if (cancelled) {
      if (mayBeOnItsWay(task)) throw new Problem(orderProblems.ORDER_IN_FULFILMENT)
      return cancelled
    }
    const row = await findOrder(tx, owner, id)
    if (!row) throw new Problem(orderProblems.ORDER_NOT_FOUND)
    if (versions && !versions.includes(row.version)) {
      throw new Problem(problems.PRECONDITION_FAILED, { detail: 'Read the order again, then decide.' })
    }
    if (row.status === 'fulfilled') throw new Problem(orderProblems.ORDER_FULFILLED)
    return row
  })
}

/**
 * Whether an order may be on its way, by what came of cancelling its task: an attempt was made, so the warehouse may
 * have heard of it. A person looks after one whose task is dead.
 */
export function mayBeOnItsWay(task: Cancellation): boolean {
  return task === 'started' || task === 'dead'
}
