import type { MiddlewareHandler } from 'hono'
import type { Database } from '../database/database.ts'
import { withOwnDeadline } from '../database/own-deadline.ts'
import type { BaseEnv } from '../http/env.ts'
import { requestValue } from '../kernel/context.ts'
import type { Log } from '../log/logger.ts'
import { type Delivery, type DeliveryRow, toDelivery } from './delivery.ts'
import type { Sender } from './sender.ts'

/** The deliveries that a request has enqueued and committed. They are sent before its response. */
interface Outbox {
  /** The revision that enqueues. */
  readonly revision: string
  readonly deliveries: Delivery[]
  readonly takes: Take[]
}

/** Takes deliveries of tasks that are pending, `limit` at most. */
export type Take = (database: Database, limit: number) => Promise<DeliveryRow[]>

const outbox = requestValue<Outbox>('outbox')

/** How long a request sends tasks, and how many, at most. The tick sends the rest. */
const sendMs = 2_000
const maxSends = 20

/** How long one look at what is pending may take. */
const takeMs = 2_000

/** What sending an outbox needs of the service. */
interface OutboxOptions {
  readonly sender: Sender
  readonly database: Database
  readonly log: Log
  /** The revision that enqueues. */
  readonly revision: string
}

/** Opens the outbox of each request, and sends its deliveries before the response. */
export function sendOutbox({ sender, revision, ...options }: OutboxOptions): MiddlewareHandler<BaseEnv> {
  return async function sendOutbox(_c, next) {
    const deliveries: Delivery[] = []
    const takes: Take[] = []
    outbox.set({ revision, deliveries, takes })
    await next()
    for (const take of takes)
      deliveries.push(...(await takeMore(take, maxSends - deliveries.length, options)))
    if (deliveries.length > 0)
      await sender.send(deliveries.slice(0, maxSends), { timeoutMs: sendMs, concurrency: maxSends })
  }
}

async function takeMore(
  take: Take,
  limit: number,
  { database, log }: Pick<OutboxOptions, 'database' | 'log'>,
): Promise<Delivery[]> {
  if (limit <= 0) return []
  try {
    const rows = await withOwnDeadline(takeMs, () => take(database, limit))
    return rows.filter(({ sendable }) => sendable).map(toDelivery)
  } catch (err) {
    log.warn({ err }, 'Pending tasks could not be taken; the tick sends them')
    return []
  }
}

/** How many deliveries this request can still send; 0 outside a request. */
export function roomInOutbox(): number {
  return Math.max(0, maxSends - (outbox.get()?.deliveries.length ?? maxSends))
}

/** Lets the current request take more deliveries when it ends, and send them. Outside a request, the tick sends them. */
export function takeAtEnd(take: Take): void {
  outbox.get()?.takes.push(take)
}

/** Adds a delivery to the outbox of the current request, unless it is due too late. Otherwise the tick sends it. */
export function addToOutbox(delivery: DeliveryRow | undefined): void {
  if (delivery?.sendable) outbox.get()?.deliveries.push(toDelivery(delivery))
}

/** The revision that serves this request; `undefined` outside a request. */
export function currentRevision(): string | undefined {
  return outbox.get()?.revision
}
