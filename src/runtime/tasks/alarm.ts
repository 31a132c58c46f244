import { sql } from 'drizzle-orm'
import { now } from '../database/now.ts'
import { tasks } from './table.ts'

/** What Cloud Tasks takes is 30 days ahead at most: a later row stays `pending` until it is near. */
const horizon = sql`interval '29 days'`

/** A hand-over that is due: Cloud Tasks is to call back for this task at this dispatch. */
export interface Alarm {
  readonly id: string
  readonly name: string
  readonly dispatch: number
  /** When; absent for at once. */
  readonly at?: Date | undefined
}

/** An alarm as a query returns it: `near` where Cloud Tasks would take it already. */
export interface AlarmRow {
  readonly id: string
  readonly name: string
  readonly dispatch: number
  readonly at: Date | null
  readonly near: boolean
}

/** An alarm for sending. */
export function toAlarm({ id, name, dispatch, at }: AlarmRow): Alarm {
  return { id, name, dispatch, at: at ?? undefined }
}

/** An alarm's columns: `at` only where it is ahead, and `near` where Cloud Tasks would take it. */
export const alarmColumns = {
  id: tasks.id,
  name: tasks.name,
  dispatch: tasks.dispatch,
  at: sql<Date | null>`case when ${tasks.dueAt} > ${now} + interval '10 milliseconds' then ${tasks.dueAt} end`.mapWith(
    tasks.dueAt,
  ),
  near: sql<boolean>`${tasks.dueAt} < ${now} + ${horizon}`,
}
