import { sql } from 'drizzle-orm'
import { now } from '../database/now.ts'
import { tasks } from './table.ts'

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
