import type { Database } from '../database/database.ts'
import { takePlace, wakeTasks } from './limits.ts'
import { addToOutbox, takeAtEnd } from './outbox.ts'
import { askToStart } from './rates.ts'
import { setAside } from './table.ts'
import type { Task } from './task.ts'
import { type ClaimedRow, giveBack } from './transitions.ts'

/**
 * Holds a claimed task back if its key is at its limit, or its rate allows no start now. It does not count as an attempt. At the
 * end of the request, the next task of the key is woken, whatever became of this one.
 *
 * @param payload the parsed payload
 * @returns whether the task runs: `run`, `limited`, or `lost` if another process has taken it
 */
export async function holdBack(
  database: Database,
  task: Task,
  row: ClaimedRow,
  payload: unknown,
): Promise<'run' | 'limited' | 'lost'> {
  const { name, limit, rate } = task
  if (limit) {
    const group = { name, key: row.limitKey ?? limit.key(payload), ...only(limit) }
    takeAtEnd((database, most) => wakeTasks(database, group, most))
    if (!(await takePlace(database, row, group)))
      return (await giveBack(database, row, { limitSlot: setAside, limitKey: group.key }))
        ? 'limited'
        : 'lost'
  }
  if (rate) {
    const dueAt = await askToStart(database, { ...rate, name, key: rate.key(payload) })
    if (!dueAt) return 'run'
    const delivery = await giveBack(database, row, { dueAt })
    addToOutbox(delivery)
    return delivery ? 'limited' : 'lost'
  }
  return 'run'
}

const only = ({ concurrency, ordered }: NonNullable<Task['limit']>) => ({ concurrency, ordered })
