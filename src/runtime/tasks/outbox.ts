import type { MiddlewareHandler } from 'hono'
import type { BaseEnv } from '../http/env.ts'
import { requestValue } from '../kernel/context.ts'
import { type Delivery, type DeliveryRow, toDelivery } from './delivery.ts'
import type { Sender } from './sender.ts'

/** The deliveries that a request has enqueued and committed. They are sent before its response. */
interface Outbox {
  /** The revision that enqueues. */
  readonly revision: string
  readonly deliveries: Delivery[]
}

const outbox = requestValue<Outbox>('outbox')

/** How long a request sends tasks, and how many, at most. The tick sends the rest. */
const sendMs = 2_000
const maxSends = 20

/** Opens the outbox of each request, and sends its deliveries before the response. */
export function sendOutbox(sender: Sender, revision: string): MiddlewareHandler<BaseEnv> {
  return async function sendOutbox(_c, next) {
    const deliveries: Delivery[] = []
    outbox.set({ revision, deliveries })
    await next()
    if (deliveries.length > 0)
      await sender.send(deliveries.slice(0, maxSends), { timeoutMs: sendMs, concurrency: maxSends })
  }
}

/** Adds a delivery to the outbox of the current request, unless it is due too late. Otherwise the tick sends it. */
export function addToOutbox(delivery: DeliveryRow | undefined): void {
  if (delivery?.sendable) outbox.get()?.deliveries.push(toDelivery(delivery))
}

/** The revision that serves this request; `undefined` outside a request. */
export function currentRevision(): string | undefined {
  return outbox.get()?.revision
}
