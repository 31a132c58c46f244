import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { Hono } from 'hono'
import { seededRandom } from '#dev/cloud-tasks/random.ts'
import { serve } from '#dev/machine/serve.ts'
import { z } from '#runtime'

const parcel = z.strictObject({ parcelId: z.string(), item: z.string(), quantity: z.int() })

/** What the carrier knows of a shipment: who asked for it, how often, under which key. */
export interface Shipment extends z.infer<typeof parcel> {
  readonly key: string
  readonly id: string
  /** Requests under that key that it has recorded. */
  calls: number
}

/**
 * Starts a carrier that parcels are handed to by `POST /shipments`: the same `Idempotency-Key` gets the same shipment. It takes
 * some time for a bag (`journey/leg`), so that the legs of a journey that are there at once can be counted.
 *
 * @param options.failureRate the share of requests that get 503, from 0 to 1: half of them before the shipment is
 *   recorded, half of them after
 * @param options.seed decides which
 */
export async function createCarrier({ failureRate, seed }: { failureRate: number; seed: number }) {
  const random = seededRandom(seed)
  const shipments = new Map<string, Shipment>()

  const present = new Map<string, number>()
  let mostAtOnce = 0

  const app = new Hono()
  app.post('/shipments', async (c) => {
    const key = c.req.header('Idempotency-Key') ?? ''
    const body = parcel.parse(await c.req.json())
    if (isBag(body)) await stay(body.parcelId.split('/', 1)[0] as string)
    const fails = random('failure') < failureRate
    const late = random('moment') < 0.5
    if (fails && !late) return c.json({ error: 'Nothing was recorded.' }, 503)
    const shipment = shipments.get(key) ?? { key, id: randomUUID(), ...body, calls: 0 }
    const { parcelId, item, quantity } = shipment
    if (JSON.stringify({ parcelId, item, quantity }) !== JSON.stringify(body))
      return c.json({ error: 'That key was used with another body.' }, 422)
    shipment.calls += 1
    shipments.set(key, shipment)
    return fails ? c.json({ error: 'It was recorded.' }, 503) : c.json({ id: shipment.id }, 201)
  })

  async function stay(journey: string): Promise<void> {
    const count = (present.get(journey) ?? 0) + 1
    present.set(journey, count)
    mostAtOnce = Math.max(mostAtOnce, count)
    await setTimeout(bagMs)
    present.set(journey, (present.get(journey) ?? 0) - 1)
  }

  const { url, close } = await serve(app)
  return {
    ...{ url, close },
    shipments: () => [...shipments.values()].filter((shipment) => !isBag(shipment)),
    bags: () => [...shipments.values()].filter(isBag),
    /** How many legs of one journey were there at the same time. */
    mostAtOnce: () => mostAtOnce,
  }
}

/** How long a bag takes: far less than a lease, so that none is there still when another attempt has its place. */
const bagMs = 20

function isBag({ parcelId }: { parcelId: string }): boolean {
  return parcelId.includes('/')
}
