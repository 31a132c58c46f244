import { eq } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { now } from '../database/now.ts'
import type { Log } from '../log/logger.ts'
import { enqueue } from './enqueue.ts'
import type { Schedule } from './schedule.ts'
import { schedules } from './table.ts'

/**
 * Enqueues the tasks of schedules that are due, each with the advance of its slot in one transaction: of two ticks
 * at once, one does. A schedule that is seen for the first time begins now.
 *
 * @returns how many were enqueued
 */
export async function enqueueDue(
  database: Database,
  log: Log,
  declared: readonly Schedule[],
): Promise<number> {
  if (declared.length === 0) return 0
  const first = declared.map(({ name }) => ({ name, lastSlot: now }))
  await database.insert(schedules).values(first).onConflictDoNothing()
  const known = await database
    .select({ name: schedules.name, last: schedules.lastSlot, now: moment })
    .from(schedules)
  let count = 0
  for (const { name, last, now } of known) {
    const schedule = declared.find((candidate) => candidate.name === name)
    const slot = schedule && nextSlot(schedule, last, log)
    if (schedule && slot && slot <= now) count += await enqueueOne(database, schedule)
  }
  return count
}

/** One schedule whose time zone is none shall not keep the tick from all else. */
function nextSlot({ nextAfter }: Schedule, last: Date, log: Log): Date | undefined {
  try {
    return nextAfter(last)
  } catch (err) {
    log.error({ err }, 'A schedule cannot be followed')
    return undefined
  }
}

const moment = now.mapWith(schedules.lastSlot)

async function enqueueOne(database: Database, { name, task, payload, nextAfter }: Schedule): Promise<number> {
  return database.transaction(async (tx) => {
    const [row] = await tx
      .select({ last: schedules.lastSlot, now: moment })
      .from(schedules)
      .where(eq(schedules.name, name))
      .for('update')
    const slot = row && nextAfter(row.last)
    if (!slot || slot > row.now) return 0 // another tick was first
    await tx.update(schedules).set({ lastSlot: row.now }).where(eq(schedules.name, name))
    await enqueue(tx, task, payload)
    return 1
  })
}
