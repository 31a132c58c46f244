import { currentRequest } from '../log/context.ts'

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

/** Leaves an alarm, if there is one and its time is near, to the end of this request. Outside any, the tick has it. */
export function leave(alarm: AlarmRow | undefined): void {
  if (alarm?.near) currentRequest()?.outbox?.alarms.push(toAlarm(alarm))
}

/** An alarm for sending. */
export function toAlarm({ id, name, dispatch, at }: AlarmRow): Alarm {
  return { id, name, dispatch, at: at ?? undefined }
}

/** What a request has enqueued, and committed, so far. */
export interface Outbox {
  /** The revision that enqueues. */
  readonly revision: string
  readonly alarms: Alarm[]
}
