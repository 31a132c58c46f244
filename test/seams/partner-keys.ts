import { createHash } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { pgTable, text } from 'drizzle-orm/pg-core'
import { expectTypeOf } from 'vitest'
import { type Caller, defineApiKey, defineFeature, defineRoute, handle, json, z } from '#runtime'
import { makeDatabase, onServer } from '#test/kit'

/** Keys by their SHA-256: no key is stored, and the time of a comparison says nothing of one. */
const partnerKeys = pgTable('test_partner_keys', {
  hash: text('hash').primaryKey(),
  partner: text('partner').notNull(),
  plan: text('plan', { enum: ['free', 'paid'] }).notNull(),
  scopes: text('scopes').array().notNull(),
})
/** What is stored of a key. */
export const hashOf = (key: string) => createHash('sha256').update(key).digest('hex')

/** The key of a partner, in a header of its own. */
const partnerKey = defineApiKey({
  name: 'partnerKey',
  header: 'X-Partner-Key',
  description: 'A partner has one from us.',
  async findOwner(key, { database }) {
    const [row] = await database
      .select()
      .from(partnerKeys)
      .where(eq(partnerKeys.hash, hashOf(key)))
    return row && { subject: row.partner, scopes: row.scopes, plan: row.plan }
  },
})

const ShownCaller = z.object({ subject: z.string(), issuer: z.string(), plan: z.string().optional() })
const shown = { summary: 'Show the caller', responses: { 200: json('The caller', ShownCaller) } } as const
const byKey = defineRoute({
  ...{ ...shown, method: 'get', path: '/by-key', operationId: 'byKey' },
  security: { schemes: [partnerKey], scopes: ['stock:read'] },
})
const byEither = defineRoute({
  ...{ ...shown, method: 'post', path: '/by-either', operationId: 'byEither', idempotent: true },
  security: { schemes: ['token', partnerKey], scopes: ['stock:read'] },
})
/** Takes a key or a token, and asks for no scope. */
export const byAny = defineRoute({
  ...{ ...shown, method: 'get', path: '/by-any', operationId: 'byAny' },
  security: { schemes: [partnerKey, 'token'] },
})

/** A feature whose routes take partners' keys. */
export const stock = defineFeature({
  name: 'stock',
  description: 'Stock, for partners.',
  routes: () => [
    handle(byKey, (c) => {
      const { subject, issuer, plan } = c.var.caller
      expectTypeOf(plan).toEqualTypeOf<'free' | 'paid'>()
      return c.json({ subject, issuer, plan }, 200)
    }),
    handle(byEither, (c) => {
      const { caller } = c.var
      // only a token's caller has claims
      if ('claims' in caller) expectTypeOf(caller).toExtend<Caller>()
      else expectTypeOf(caller.plan).toEqualTypeOf<'free' | 'paid'>()
      const { subject, issuer } = caller
      return c.json({ subject, issuer, ...('plan' in caller && { plan: caller.plan }) }, 200)
    }),
    handle(byAny, (c) => c.json({ subject: c.var.caller.subject, issuer: c.var.caller.issuer }, 200)),
  ],
})

/** A database with the table of the keys. Returns its URL. */
export async function partnerDatabase(): Promise<string> {
  const databaseUrl = await makeDatabase()
  await onServer(
    databaseUrl,
    'create table test_partner_keys (hash text primary key, partner text not null, plan text not null, scopes text[] not null)',
  )
  return databaseUrl
}
