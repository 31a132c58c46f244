import { randomUUIDv7 } from 'node:crypto'
import { integer, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import {
  BatchCounts,
  defineFeature,
  defineRoute,
  defineTask,
  enqueueMany,
  handle,
  json,
  jsonBody,
  sendSignal,
  type Transaction,
  z,
} from '#runtime'
import { carrierVariables, handOver } from './parcels.ts'

// The longer work of chaos: a journey is a batch of legs, some at once. A leg is five steps, a sleep, and a wait for its ticket.

/** What was done. Nothing here is unique: what happens twice is seen. */
const marksTable = pgTable('test_marks', {
  journeyId: uuid('journey_id').notNull(),
  leg: integer('leg').notNull(),
  what: text('what').notNull(),
})

/** Makes the table. */
export const createMarksTable = `
  create table test_marks (journey_id uuid not null, leg integer not null, what text not null)`

/** How many legs of a journey run at once. */
export const legsAtOnce = 2

const NewJourney = z.strictObject({ legs: z.int().min(1).max(100) }).openapi('NewJourney')
const Journey = z.object({ id: z.uuid() }).openapi('Journey')
const Ticket = z.strictObject({ seat: z.int() }).openapi('Ticket')

const startJourney = defineRoute({
  method: 'post',
  path: '/journeys',
  operationId: 'startJourney',
  summary: 'Start a journey',
  security: 'authenticated',
  idempotent: true,
  request: { body: jsonBody(NewJourney) },
  responses: { 201: json('The journey', Journey) },
})

const giveTicket = defineRoute({
  method: 'post',
  path: '/journeys/{id}/tickets',
  operationId: 'giveTicket',
  summary: 'Give the ticket of a journey to all its legs',
  security: 'authenticated',
  idempotent: true,
  request: { params: Journey, body: jsonBody(Ticket) },
  responses: { 201: json('The journey', Journey) },
})

const retry = { attempts: 12, backoff: { min: '1s', max: '10s' } } as const

const travelLeg = defineTask({
  name: 'journeys.travel-leg',
  payload: z.object({ journeyId: z.uuid(), leg: z.int() }),
  signals: { ticket: Ticket },
  variables: carrierVariables,
  limit: { key: ({ journeyId }) => journeyId, concurrency: legsAtOnce },
  retry,
  deadline: '30s',
  async run({ payload: { journeyId, leg }, config, step, sleep, waitFor }) {
    const mark = (what: string) => (tx: Transaction) => markDone(tx, journeyId, leg, what)
    await step('leave', async () => mark('leave'))
    const bag = await step('hand-over', z.string(), ({ signal, idempotencyKey }) =>
      handOver(
        config.CARRIER_URL,
        { parcelId: `${journeyId}/${leg}`, item: 'Bag', quantity: leg },
        { signal, idempotencyKey },
      ),
    )
    await sleep('change', '1s')
    const ticket = await waitFor('ticket', { key: journeyId, timeout: '1d' })
    await step('board', async () => mark(`board ${ticket?.seat}`))
    await step('fetch', async () => mark(`fetch ${bag}`))
    await step('arrive', async () => mark('arrive'))
  },
})

const reportJourney = defineTask({
  name: 'journeys.report',
  payload: z.object({ journeyId: z.uuid(), batch: BatchCounts }),
  retry,
  async run({ payload: { journeyId, batch } }) {
    return (tx) => markDone(tx, journeyId, 0, `report ${batch.done} of ${batch.size}`)
  },
})

async function markDone(tx: Transaction, journeyId: string, leg: number, what: string): Promise<void> {
  await tx.insert(marksTable).values({ journeyId, leg, what })
}

/** Journeys: an idempotent POST that enqueues a batch of legs, and one that sends them their ticket. */
export const journeys = defineFeature({
  name: 'journeys',
  description: 'Journeys of several legs.',
  tasks: [travelLeg, reportJourney],
  routes: () => [
    handle(startJourney, async (c) => {
      const journeyId = randomUUIDv7()
      const legs = Array.from({ length: c.req.valid('json').legs }, (_, leg) => ({ journeyId, leg: leg + 1 }))
      await enqueueMany(c.var.tx, travelLeg, legs, { finally: [reportJourney, { journeyId }] })
      return c.json({ id: journeyId }, 201)
    }),
    handle(giveTicket, async (c) => {
      const { id } = c.req.valid('param')
      await sendSignal(c.var.tx, travelLeg, 'ticket', { key: id }, c.req.valid('json'))
      return c.json({ id }, 201)
    }),
  ],
})
