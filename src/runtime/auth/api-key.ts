import type { Database } from '../database/database.ts'
import type { Caller } from './caller.ts'

/** Whose key it is, as the service's own function returns it. */
export interface KeyOwner {
  /** Text of 1 to 1,000 bytes. It stands in the log, and `Idempotency-Key` and tasks belong to it. */
  readonly subject: string
  /** None if absent. */
  readonly scopes?: readonly string[]
}

/** Who sent the request, as its API key says: what the service's own function returned. */
export type KeyCaller<Owner extends KeyOwner = KeyOwner> = Readonly<Omit<Owner, 'scopes' | 'issuer'>> & {
  /** `api-key:` and the scheme's name: a key's subject is another one than the same text in a token. */
  readonly issuer: string
  readonly scopes: readonly string[]
}

/** Whoever sent the request. A token's caller has `claims`. */
export type AnyCaller = Caller | KeyCaller

/** An API key scheme, created by `defineApiKey`. A route lists it in `security.schemes`. */
export interface ApiKey<Owner extends KeyOwner = KeyOwner> {
  readonly name: string
  readonly header: string
  readonly description: string | undefined
  findOwner(key: string, context: KeyContext): Promise<Owner | undefined>
}

/** The second argument of `findOwner`. */
export interface KeyContext {
  readonly database: Database
  /** Aborts when the request ends. */
  readonly signal: AbortSignal
}

/** Headers that mean something else already. */
const taken =
  /^(authorization|cookie|host|content-.*|accept.*|forwarded|x-forwarded-.*|x-request-id|idempotency-key)$/i

/**
 * Defines a second way to authenticate: an API key in a header of its own. Each route says whether it takes it:
 * `security: { schemes: ['token', partnerKey], scopes: ['orders:read'] }`.
 *
 * Store no key, but its SHA-256, and find the row by that: the comparison's time says nothing of a key then. A key must be
 * random, 32 bytes of `randomBytes`, since a hash hides no weak one.
 *
 * @param scheme.name its name in the contract
 * @param scheme.header the header that carries the key, such as `X-Partner-Key`
 * @param scheme.findOwner finds whose key it is, by at most one query: it runs for each request. `undefined` is a 401
 * @throws {TypeError} for a name or a header that cannot be one
 * @example
 * import { createHash } from 'node:crypto'
 * import { sql } from 'drizzle-orm'
 *
 * export const partnerKey = defineApiKey({
 *   name: 'partnerKey',
 *   header: 'X-Partner-Key',
 *   async findOwner(key, { database }) {
 *     const hash = createHash('sha256').update(key).digest('hex')
 *     const found = sql`select partner from partner_keys where hash = ${hash}`
 *     const [row] = (await database.execute<{ partner: string }>(found)).rows
 *     return row && { subject: row.partner, scopes: ['orders:read'] }
 *   },
 * })
 */
export function defineApiKey<Owner extends KeyOwner>(scheme: {
  name: string
  header: string
  description?: string
  findOwner: (key: string, context: KeyContext) => Promise<Owner | undefined>
}): ApiKey<Owner> {
  const { name, header, description, findOwner } = scheme
  const wrong = (what: string) => new TypeError(`The API key ${name}: ${what}`)
  if (!/^[A-Za-z][\w.-]*$/.test(name) || ['bearer', 'cookie', 'invoker'].includes(name))
    throw wrong(
      'its name is letters and digits, such as partnerKey, and none of the runtime’s: bearer, cookie, invoker.',
    )
  if (!/^[A-Za-z][\w-]*$/.test(header) || taken.test(header))
    throw wrong('its header is one of its own, such as X-Partner-Key.')
  return { name, header, description, findOwner }
}
