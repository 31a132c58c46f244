import { randomUUID } from 'node:crypto'
import { Hono } from 'hono'
import { z } from 'zod'
import type { LocalService } from './local.ts'
import { seededRandom } from './random.ts'
import { serve } from './serve.ts'
import type { Environment } from './settings.ts'

const order = z.strictObject({
  orderId: z.string().min(1),
  item: z.string().min(1),
  quantity: z.int().min(1),
})

/** What the warehouse knows of a parcel: who asked for it, how often, under which key. */
export interface Shipment extends z.infer<typeof order> {
  readonly key: string
  readonly id: string
  /** Requests under that key that it has recorded. */
  calls: number
}

/**
 * Starts a stand-in for the warehouse that orders are sent to. `POST /shipments` needs an `Idempotency-Key`: the
 * same key gets the same shipment. `GET /shipments` lists them.
 *
 * @param options.failureRate the share of requests that get 503, from 0 to 1: half of them before the shipment is
 *   recorded, half of them after
 * @param options.seed decides which
 */
export async function createWarehouse(options: { port?: number; failureRate?: number; seed?: number } = {}) {
  const { port = 0, failureRate = 0, seed = 1 } = options
  const random = seededRandom(seed)
  const shipments = new Map<string, Shipment>()

  const app = new Hono()
  app.get('/shipments', (c) => c.json([...shipments.values()]))
  app.post('/shipments', async (c) => {
    const key = c.req.header('Idempotency-Key')
    if (!key) return c.json({ error: 'The Idempotency-Key header is missing.' }, 400)
    const body = order.safeParse(await c.req.json().catch(() => undefined))
    if (!body.success) return c.json({ error: z.prettifyError(body.error) }, 400)

    const fails = random('failure') < failureRate
    const late = random('moment') < 0.5
    if (fails && !late) return c.json({ error: 'Nothing was recorded.' }, 503)
    const shipment = shipments.get(key) ?? { key, id: randomUUID(), ...body.data, calls: 0 }
    const { orderId, item, quantity } = shipment
    if (JSON.stringify({ orderId, item, quantity }) !== JSON.stringify(body.data))
      return c.json({ error: 'That key was used with another body.' }, 422)
    shipment.calls += 1
    shipments.set(key, shipment)
    return fails ? c.json({ error: 'It was recorded.' }, 503) : c.json({ id: shipment.id }, 201)
  })

  const { url, close } = await serve(app, { port })
  return { url, close, shipments: () => [...shipments.values()] }
}

/** The warehouse of development, unless WAREHOUSE_URL names another. */
export async function startWarehouse(environment: Environment): Promise<LocalService> {
  if (environment.WAREHOUSE_URL) return { environment: {}, facts: [], stop: async () => {} }
  const { url, close } = await createWarehouse()
  return { environment: { WAREHOUSE_URL: url }, facts: [['Warehouse', `${url}/shipments`]], stop: close }
}
