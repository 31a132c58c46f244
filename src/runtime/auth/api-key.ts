import type { Database } from '../database/database.ts'
import type { Caller } from './caller.ts'

/** The owner of a key, as `findOwner` returns it. */
export interface KeyOwner {
  /** Text of 1 to 1,000 bytes. The log shows it, and idempotency keys and tasks belong to it. */
  readonly subject: string
  /** The owner's scopes; none if absent. */
  readonly scopes?: readonly string[]
}

/** The caller of a request with an API key: what `findOwner` returned, with an issuer. */
export type KeyCaller<Owner extends KeyOwner = KeyOwner> = Readonly<Omit<Owner, 'scopes' | 'issuer'>> & {
  /** `api-key:` and the scheme's name. So a key's subject differs from the same text in a token. */
  readonly issuer: string
  readonly scopes: readonly string[]
}

/** The caller of a request, by a token or by an API key. Only a token's caller has `claims`. */
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

/** Headers that have another meaning already. */
const taken =
  /^(authorization|cookie|host|content-.*|accept.*|forwarded|x-forwarded-.*|x-request-id|idempotency-key)$/i

/**
 * Defines a second way to authenticate: an API key in a header. Each route declares whether it takes the key:
 * `security: { schemes: ['token', partnerKey], scopes: ['orders:read'] }`.
 *
 * Do not store the keys. Store the SHA-256 of each key, and find its row by that: then the time of the comparison reveals
 * nothing about a key. Create keys by `randomBytes(32)`: a hash does not protect a key that can be guessed.
 *
 * @param scheme.name its name in the contract
 * @param scheme.header the header that carries the key, such as `X-Partner-Key`
 * @param scheme.findOwner finds the owner of a key. It runs for each request, so it should make at most one query. If it
 *   returns `undefined`, the response is a 401
 * @throws {TypeError} for a wrong name, and for a header that is not valid or has another meaning
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
      'its name must be letters and digits, such as partnerKey, and not bearer, cookie or invoker, which the runtime uses.',
    )
  if (!/^[A-Za-z][\w-]*$/.test(header) || taken.test(header))
    throw wrong(`the header ${header} is not valid, or has another meaning: write one such as X-Partner-Key.`)
  return { name, header, description, findOwner }
}
