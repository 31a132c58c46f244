import { type SQL, sql } from 'drizzle-orm'
import { now } from '../database/now.ts'
import { type AttemptError, tasks } from './table.ts'

/** Why an attempt failed, before the database has added the time and the number of the attempt. */
export type Failure = Omit<AttemptError, 'at' | 'attempt'>

/** How many errors of its attempts a task keeps. */
const maxErrors = 20

/** The failure of an attempt whose process was killed. */
export const processEnded: Failure = { error: 'Error: The process ended, or could not reach the database' }

/** The errors of a task with one more. Of the errors before it, the newest 19 stay. */
export function withError(failure: Failure): SQL {
  const { errors, attempts } = tasks
  return sql`case when jsonb_array_length(${errors}) >= ${sql.raw(`${maxErrors}`)} then ${errors} - 0 else ${errors} end
    || jsonb_build_array(${JSON.stringify(failure)}::jsonb || jsonb_build_object('at', ${now}, 'attempt', ${attempts}))`
}
