import { sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { defineQuery, type QueryValues } from '../database/define-query.ts'
import { now } from '../database/now.ts'
import { stateIs, tasks } from './table.ts'

/** Cloud Tasks accepts tasks up to 30 days ahead. A row that is due later stays `pending` until then. */
const horizon = sql`interval '29 days'`

/** A delivery that Cloud Tasks is to make: a callback for this task at this dispatch. */
export interface Delivery {
  readonly id: string
  readonly name: string
  readonly dispatch: number
  /** When it is due; now, if absent. */
  readonly at?: Date | undefined
}

/** A delivery as a query returns it. `sendable` says whether Cloud Tasks would accept it now. */
export interface DeliveryRow {
  readonly id: string
  readonly name: string
  readonly dispatch: number
  readonly at: Date | null
  readonly sendable: boolean
}

/** The delivery of a row. */
export function toDelivery({ id, name, dispatch, at }: DeliveryRow): Delivery {
  return { id, name, dispatch, at: at ?? undefined }
}

/** The columns of a delivery. `at` is null if it is due now. `sendable` says whether Cloud Tasks would accept it now. */
export const deliveryColumns = {
  id: tasks.id,
  name: tasks.name,
  dispatch: tasks.dispatch,
  at: sql<Date | null>`case when ${tasks.dueAt} > ${now} + interval '10 milliseconds' then ${tasks.dueAt} end`.mapWith(
    tasks.dueAt,
  ),
  sendable: sql<boolean>`${tasks.dueAt} < ${now} + ${horizon}`,
}

const markRowsQueued = defineQuery(
  (database, { ids, dispatches }: QueryValues<{ ids: string[]; dispatches: number[] }>) =>
    database
      .update(tasks)
      .set({ state: 'queued', touchedAt: sql`greatest(${now}, ${tasks.dueAt})` })
      .from(sql`unnest(${ids}::uuid[], ${dispatches}::int[]) as sent (id, dispatch)`)
      .where(
        // `is true` hides the state from the indexes: where many are pending, PostgreSQL would read all of them
        sql`${tasks.id} = sent.id and ${tasks.dispatch} = sent.dispatch and (${stateIs('pending')}) is true`,
      ),
)

/** Marks tasks as queued: Cloud Tasks has their deliveries. Skips a task that has changed since. */
export async function markQueued(
  database: Database,
  sent: readonly Pick<Delivery, 'id' | 'dispatch'>[],
): Promise<void> {
  await markRowsQueued(database, {
    ids: sent.map(({ id }) => id),
    dispatches: sent.map(({ dispatch }) => dispatch),
  })
}
