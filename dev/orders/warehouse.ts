import { randomUUID } from 'node:crypto'
import { Hono } from 'hono'
import { z } from 'zod'
import { serve } from '../machine/serve.ts'

const order = z.strictObject({
  orderId: z.string().min(1),
  item: z.string().min(1),
  quantity: z.int().min(1),
})

/** What the warehouse knows about a parcel: the order, the key, and how often it was asked for. */
export interface Shipment extends z.infer<typeof order> {
  readonly key: string
  readonly id: string
  /** Requests under that key. */
  calls: number
}

/**
 * Starts a stand-in for the warehouse that orders are sent to. `POST /shipments` needs an `Idempotency-Key`: the
 * same key gets the same shipment. `GET /shipments` lists them.
 */
export async function createWarehouse() {
  const shipments = new Map<string, Shipment>()

  const app = new Hono()
  app.get('/shipments', (c) => c.json([...shipments.values()]))
  app.post('/shipments', async (c) => {
    const key = c.req.header('Idempotency-Key')
    if (!key) return c.json({ error: 'The Idempotency-Key header is missing.' }, 400)
    const body = order.safeParse(await c.req.json().catch(() => undefined))
    if (!body.success) return c.json({ error: z.prettifyError(body.error) }, 400)

    const shipment = shipments.get(key) ?? { key, id: randomUUID(), ...body.data, calls: 0 }
    const { orderId, item, quantity } = shipment
    if (JSON.stringify({ orderId, item, quantity }) !== JSON.stringify(body.data))
      return c.json({ error: 'That key was used with another body.' }, 422)
    shipment.calls += 1
    shipments.set(key, shipment)
    return c.json({ id: shipment.id }, 201)
  })

  const { url, close } = await serve(app)
  return { url, close, shipments: () => [...shipments.values()] }
}
