import { count } from 'drizzle-orm'
import { pgTable, text } from 'drizzle-orm/pg-core'
import { type Database, defineRoute, handle, handlePlain, json, jsonBody, z } from '#runtime'

/** What a sender has told of, by its own ids: a second delivery of one finds its row. The fork may have such a table. */
export const createEvents = `drop table if exists events cascade;
  create table events (id text primary key, effect text not null)`

const events = pgTable('events', { id: text('id').primaryKey(), effect: text('effect').notNull() })
const Event = z.strictObject({ id: z.string(), effect: z.string() })

declare module 'hono' {
  interface ContextVariableMap {
    seenBefore: { id: string; inTransaction: boolean }
  }
}

const deliver = defineRoute({
  method: 'post',
  path: '/events',
  operationId: 'deliverEvent',
  summary: 'Take an event, once for each key',
  security: 'authenticated',
  idempotent: true,
  request: { body: jsonBody(Event) },
  responses: {
    201: json('How many there are, and what the middleware saw', z.looseObject({ events: z.int() })),
  },
  async middleware(c, next) {
    const { id } = c.req.valid('json' as never) as { id: string }
    c.set('seenBefore', { id, inTransaction: c.get('tx') !== undefined })
    await next()
  },
})

/** Webhooks that are sent more than once. */
export function eventRoutes(database: Database) {
  return [
    handlePlain({ method: 'post', path: '/webhooks/events', security: 'public' }, async (c) => {
      const { id, effect } = Event.parse(await c.req.json())
      await database.insert(events).values({ id, effect }).onConflictDoNothing()
      return c.body(null, 204)
    }),
    handle(deliver, async (c) => {
      const { id, effect } = c.req.valid('json')
      await c.var.tx.insert(events).values({ id: `${id}-${crypto.randomUUID()}`, effect })
      const [row] = await c.var.tx.select({ events: count() }).from(events)
      return c.json({ events: row?.events ?? 0, seenBefore: c.get('seenBefore') }, 201)
    }),
  ]
}
