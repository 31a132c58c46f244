import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { defineRoute, handle, location, z } from '#runtime'

const elsewhere = { description: 'Elsewhere' }

const make = defineRoute({
  method: 'post',
  path: '/visits/{town}',
  operationId: 'makeVisit',
  summary: 'Make a visit, and go to it',
  security: 'authenticated',
  idempotent: true,
  request: { params: z.object({ town: z.string() }) },
  responses: { 303: elsewhere },
})

const targets = {
  found: ['/visits', 302],
  temporary: ['../visits?town=a', 307],
  external: ['https://shop.example/a?b=c#d', 302],
} as const

const go = defineRoute({
  method: 'get',
  path: '/redirects/{kind}',
  operationId: 'redirect',
  summary: 'Go elsewhere',
  security: 'public',
  request: { params: z.object({ kind: z.enum(['found', 'temporary', 'external']) }) },
  responses: { 302: elsewhere, 307: elsewhere },
})

/** Responses that lead elsewhere. */
export function redirects() {
  return [
    handle(make, async (c) => {
      const id = randomUUID()
      await c.var.tx.execute(
        sql`insert into events (id, effect) values (${id}, ${c.req.valid('param').town})`,
      )
      return c.redirect(location(c, id), 303)
    }),
    handle(go, (c) => {
      const [target, status] = targets[c.req.valid('param').kind]
      return c.redirect(target, status)
    }),
  ]
}
