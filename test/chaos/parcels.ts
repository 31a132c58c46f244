import { randomUUIDv7 } from 'node:crypto'
import { and, eq, sql } from 'drizzle-orm'
import { integer, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { defineFeature, defineRoute, defineTask, enqueue, handle, json, jsonBody, z } from '#runtime'

// What chaos is made of: a row, a task in the same transaction, somebody else's service, and the task's effect.

const parcelsTable = pgTable('test_parcels', {
  id: uuid('id').primaryKey(),
  item: text('item').notNull(),
  quantity: integer('quantity').notNull(),
  status: text('status', { enum: ['accepted', 'sent'] })
    .notNull()
    .default('accepted'),
  version: integer('version').notNull().default(1),
  taskId: uuid('task_id').notNull(),
})

/** Makes the table. */
export const createParcelsTable = `
  create table test_parcels (
    id uuid primary key,
    item text not null,
    quantity integer not null,
    status text not null default 'accepted',
    version integer not null default 1,
    task_id uuid not null
  )`

const NewParcel = z.strictObject({ item: z.string(), quantity: z.int() }).openapi('NewParcel')
const Parcel = z.object({ id: z.uuid() }).openapi('Parcel')

const acceptParcel = defineRoute({
  method: 'post',
  path: '/parcels',
  operationId: 'acceptParcel',
  summary: 'Accept a parcel',
  security: 'authenticated',
  idempotent: true,
  request: { body: jsonBody(NewParcel) },
  responses: { 201: json('The parcel', Parcel) },
})

/** Where the carrier is. */
export const carrierVariables = { CARRIER_URL: z.url() }

const sendParcel = defineTask({
  name: 'parcels.send',
  payload: z.object({ parcelId: z.uuid() }),
  variables: carrierVariables,
  retry: { attempts: 8, backoff: { min: '5s', max: '10m' } },
  deadline: '30s',
  async run({ payload: { parcelId }, database, config, signal, idempotencyKey }) {
    const accepted = and(eq(parcelsTable.id, parcelId), eq(parcelsTable.status, 'accepted'))
    const [row] = await database.select().from(parcelsTable).where(accepted)
    if (!row) return
    const { item, quantity } = row
    await handOver(config.CARRIER_URL, { parcelId, item, quantity }, { signal, idempotencyKey })
    const sent = { status: 'sent' as const, version: sql`${parcelsTable.version} + 1` }
    return (tx) => tx.update(parcelsTable).set(sent).where(accepted)
  },
})

/**
 * Hands a parcel to the carrier.
 *
 * @returns the shipment's id
 */
export async function handOver(
  carrier: string,
  parcel: { parcelId: string; item: string; quantity: number },
  { signal, idempotencyKey }: { signal: AbortSignal; idempotencyKey: string },
): Promise<string> {
  const response = await fetch(`${carrier}/shipments`, {
    method: 'POST',
    // an idle socket would outlive the request
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey, Connection: 'close' },
    body: JSON.stringify(parcel),
    signal,
  })
  const text = await response.text()
  if (response.status !== 201) throw new Error(`The carrier answered ${response.status}`)
  return z.object({ id: z.string() }).parse(JSON.parse(text)).id
}

/** Parcels: an idempotent POST that enqueues the task that sends the parcel. */
export const parcels = defineFeature({
  name: 'parcels',
  description: 'Parcels that a carrier is handed.',
  tasks: [sendParcel],
  routes: () => [
    handle(acceptParcel, async (c) => {
      const id = randomUUIDv7()
      const task = await enqueue(c.var.tx, sendParcel, { parcelId: id }, { delay: '5s' })
      await c.var.tx.insert(parcelsTable).values({ id, taskId: task.id, ...c.req.valid('json') })
      return c.json({ id }, 201)
    }),
  ],
})
