import { and, eq, isNull, lt, notInArray, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { fromNow, now } from '../database/now.ts'
import type { Log } from '../log/logger.ts'
import { enqueue } from './enqueue.ts'
import type { Schedule } from './schedule.ts'
import { schedules } from './table.ts'

/**
 * A schedule counts as removed if no tick has declared it for this long. For less, two revisions may be serving, one of
 * them without it.
 */
const removedAfterMs = 30 * 60_000

const { name, pattern, lastSlot, declaredAt, goneSince } = schedules
const moment = now.mapWith(lastSlot)

/**
 * Enqueues the tasks of due schedules. Each is enqueued in one transaction with the advance of its slot, so that only one
 * of two ticks at once does it. A schedule that is new, or was removed, starts now.
 *
 * @returns how many were enqueued
 */
export async function enqueueDueSchedules(
  database: Database,
  log: Log,
  declared: readonly Schedule[],
): Promise<number> {
  if (declared.length > 0) await recordDeclared(database, declared)
  let count = 0
  const known = await database
    .select({ name, last: sql`max(${lastSlot})`.mapWith(lastSlot), now: moment })
    .from(schedules)
    .groupBy(name)
  for (const { name, last, now } of known) {
    const schedule = declared.find((candidate) => candidate.name === name)
    const slot = schedule && nextSlot(schedule, last, log)
    if (schedule && slot && slot <= now) count += await enqueueSchedule(database, schedule)
  }
  if (declared.length > 0) await recordDeclared(database, declared, known[0]?.now)
  await pruneSchedules(database, declared)
  return count
}

/**
 * Records that the schedules are declared. A new pattern starts where the previous one ended, so that a slot of both
 * between two ticks is not lost. The rows are sorted, so that two ticks at once do not deadlock.
 *
 * @param seenTo the time up to which the slots are handled; if absent, only new schedules are recorded
 */
async function recordDeclared(
  database: Database,
  declared: readonly Schedule[],
  seenTo?: Date,
): Promise<void> {
  const rows = declared
    .map((schedule) => ({
      name: schedule.name,
      pattern: schedule.pattern,
      lastSlot: sql`coalesce((
        select max(greatest(${lastSlot}, ${declaredAt})) from ${schedules} where ${name} = ${schedule.name}
      ), ${now})`,
      declaredAt: seenTo ?? now,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const insert = database.insert(schedules).values(rows)
  if (!seenTo) return void (await insert.onConflictDoNothing())
  await insert.onConflictDoUpdate({ target: [name, pattern], set: { declaredAt: seenTo, goneSince: null } })
}

/**
 * Records which known schedules are not declared, and deletes those that no tick has declared for long. Without ticks,
 * no schedule counts as removed.
 */
async function pruneSchedules(database: Database, declared: readonly Schedule[]): Promise<void> {
  const ours = declared.map((schedule) => sql`(${schedule.name}, ${schedule.pattern})`)
  const found = (which: SQL | undefined) =>
    sql`(${name}, ${pattern}) in ${database
      .select({ name, pattern })
      .from(schedules)
      .where(which)
      .for('update', { skipLocked: true })}`
  const others = and(notInArray(sql`(${name}, ${pattern})`, ours), isNull(goneSince))
  await database.update(schedules).set({ goneSince: now }).where(found(others))
  await database.delete(schedules).where(found(lt(goneSince, fromNow(-removedAfterMs))))
}

/** The next slot. An error, such as an unknown time zone, is logged, so that the tick continues. */
function nextSlot({ nextAfter }: Schedule, last: Date, log: Log): Date | undefined {
  try {
    return nextAfter(last)
  } catch (err) {
    log.error({ err }, 'The next slot of a schedule cannot be computed')
    return undefined
  }
}

/** Enqueues one schedule. Its patterns share the last slot, so that a slot of two revisions runs once. */
async function enqueueSchedule(database: Database, schedule: Schedule): Promise<number> {
  const ofName = eq(name, schedule.name)
  return database.transaction(async (tx) => {
    const rows = await tx
      .select({ last: lastSlot, now: moment })
      .from(schedules)
      .where(ofName)
      .orderBy(pattern)
      .for('update')
    const [row] = rows.sort((a, b) => b.last.getTime() - a.last.getTime())
    const slot = row && schedule.nextAfter(row.last)
    if (!slot || slot > row.now) return 0 // another tick has enqueued it
    await tx.update(schedules).set({ lastSlot: row.now }).where(ofName)
    await enqueue(tx, schedule.task, schedule.payload)
    return 1
  })
}
