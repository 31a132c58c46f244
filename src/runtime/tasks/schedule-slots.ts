import { sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { now } from '../database/now.ts'
import type { Schedule } from './schedule.ts'
import { schedules } from './table.ts'

/** A schedule with its slots. */
export interface ScheduleSlots {
  readonly name: string
  /** Its cron pattern and time zone. */
  readonly pattern: string
  /** The task that it enqueues; absent if this revision does not have the schedule. */
  readonly task?: string
  /** Whether this revision has the schedule. */
  readonly declared: boolean
  /** Up to when its slots are handled; absent until a tick has seen it. */
  readonly lastSlot?: string
  readonly nextSlot?: string
  /** Why the next slot cannot be computed. */
  readonly problem?: string
}

/**
 * Lists the schedules that this revision declares, and those that only other revisions do.
 *
 * @returns the schedules, sorted by name, and the time of the database
 */
export async function listSchedules(
  database: Database,
  declared: readonly Schedule[],
): Promise<{ now: Date; schedules: ScheduleSlots[] }> {
  const { name, pattern, lastSlot } = schedules
  const rows = await database
    .select({ name, pattern: sql<string>`max(${pattern})`, last: sql`max(${lastSlot})`.mapWith(lastSlot) })
    .from(schedules)
    .groupBy(name)
  const clock = await database.execute<{ now: string }>(sql`select ${now} as now`)
  const time = new Date(clock.rows[0]?.now ?? Number.NaN)
  const ours = declared.map((schedule) => {
    const last = rows.find((row) => row.name === schedule.name)?.last
    return {
      ...{ name: schedule.name, pattern: schedule.pattern, task: schedule.task.name, declared: true },
      ...(last && { lastSlot: last.toISOString() }),
      ...nextSlot(schedule, last ?? time),
    }
  })
  const others = rows
    .filter((row) => declared.every((schedule) => schedule.name !== row.name))
    .map((row) => ({
      name: row.name,
      pattern: row.pattern,
      declared: false,
      lastSlot: row.last.toISOString(),
    }))
  return { now: time, schedules: [...ours, ...others].sort((a, b) => (a.name < b.name ? -1 : 1)) }
}

function nextSlot({ nextAfter }: Schedule, last: Date): { nextSlot?: string; problem?: string } {
  try {
    const next = nextAfter(last)
    return next ? { nextSlot: next.toISOString() } : {}
  } catch (error) {
    return { problem: error instanceof Error ? error.message : 'unknown' }
  }
}
