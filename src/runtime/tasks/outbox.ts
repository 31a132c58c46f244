import type { MiddlewareHandler } from 'hono'
import type { BaseEnv } from '../http/env.ts'
import { requestValue } from '../kernel/context.ts'
import { type Alarm, type AlarmRow, toAlarm } from './alarm.ts'
import type { Sender } from './sender.ts'

/** The deliveries that a request has enqueued and committed. They are sent before its response. */
interface Outbox {
  /** The revision that enqueues. */
  readonly revision: string
  readonly alarms: Alarm[]
}

const outbox = requestValue<Outbox>('outbox')

/** How long a request sends tasks, and how many, at most. The tick sends the rest. */
const sendMs = 2_000
const sendCount = 20

/** Opens the outbox of each request, and hands over what is in it before the request is answered. */
export function sendOutbox(sender: Sender, revision: string): MiddlewareHandler<BaseEnv> {
  return async function sendOutbox(_c, next) {
    const alarms: Alarm[] = []
    outbox.set({ revision, alarms })
    await next()
    if (alarms.length > 0) await sender.send(alarms.slice(0, sendCount), { time: sendMs, width: sendCount })
  }
}

/** Adds a delivery to the outbox of the current request, unless it is due too late. Otherwise the tick sends it. */
export function leave(alarm: AlarmRow | undefined): void {
  if (alarm?.near) outbox.get()?.alarms.push(toAlarm(alarm))
}

/** The revision that serves this request; `undefined` outside any. */
export function currentRevision(): string | undefined {
  return outbox.get()?.revision
}
