import { type Cancellation, cancelTask, type Database, Problem, problems } from '#runtime'
import { orderProblems } from './problems.ts'
import { cancelPlacedOrder, findOrder } from './store.ts'
import type { OrderRow } from './table.ts'

/**
 * Cancels an owner's order and its task, in one transaction. It locks the task's row first, as fulfilling does, so that
 * the two do not deadlock.
 *
 * @param versions the versions of the order that may be cancelled; any, if absent
 * @returns the order as it is now. An order that was cancelled earlier does not change
 * @throws {Problem} ORDER_NOT_FOUND; PRECONDITION_FAILED; ORDER_FULFILLED; ORDER_IN_FULFILMENT if an attempt to fulfil
 *   it has ever started
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
      if (mayHaveShipped(task)) throw new Problem(orderProblems.ORDER_IN_FULFILMENT)
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
 * Whether the warehouse may have shipped the order: an attempt has started, so the warehouse may have received it. A
 * person takes care of an order whose task is dead.
 *
 * @param task the result of cancelling the order's task
 */
export function mayHaveShipped(task: Cancellation): boolean {
  return task === 'started' || task === 'dead'
}
