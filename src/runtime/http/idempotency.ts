import { createHash } from 'node:crypto'
import { z } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'
import type { Caller } from '../auth/caller.ts'
import type { Database, Transaction } from '../database/database.ts'
import { findAnswer, lockKey, type StoredAnswer, storeAnswer } from '../database/idempotency-store.ts'
import type { BaseEnv } from './env.ts'
import { Problem, problems } from './problem.ts'

/** The header as the contract shows it; the middleware itself reads it. */
export const idempotencyKey = z.object({
  'Idempotency-Key': z
    .string()
    .regex(/^[!-~]{1,255}$/)
    .optional()
    .openapi({
      description: 'Makes a retry safe: the same key and request get the first answer again, for 24 hours',
      example: '5f0c7a52-7b1b-4a57-9b43-0c1a3a0b7d11',
    }),
})

/** Kept of the first answer, beside its status and body. */
const keptHeaders = ['Content-Type', 'ETag', 'Location']

/** Ends the transaction without its writes, and leaves the answer as it is. */
class Rollback extends Error {}

type Env = BaseEnv & { Variables: { caller: Caller; tx: Transaction } }

/**
 * Opens the transaction that the handler works in (`c.var.tx`), and honours `Idempotency-Key`: same key and
 * request, the first answer again; another request, 422; the first still running, 409 at once. Only 2xx answers
 * are stored, in the same commit as the handler's writes; anything else leaves neither.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
export function idempotency(database: Database): MiddlewareHandler<Env> {
  return async function idempotency(c, next) {
    const key = readKey(c)
    try {
      await database.transaction(async (tx) => {
        c.set('tx', tx)
        if (key === undefined) await next()
        else await once(c, next, tx, key)
        c.var.signal.throwIfAborted() // nobody waits for the answer: what it would say must not be so
        if (!c.res.ok) throw new Rollback()
      })
    } catch (error) {
      if (!(error instanceof Rollback)) throw error
    }
  }
}

async function once(c: Context<Env>, next: () => Promise<void>, tx: Transaction, key: string): Promise<void> {
  const { issuer, subject } = c.var.caller
  const place = { caller: JSON.stringify([issuer, subject]), key }
  if (!(await lockKey(tx, place))) {
    throw new Problem(problems.IDEMPOTENCY_KEY_IN_USE, {
      detail: 'Wait for the first answer, or ask again in a moment.',
      headers: { 'Retry-After': '1' },
    })
  }
  const fingerprint = await fingerprintOf(c)
  const first = await findAnswer(tx, place)
  if (first) {
    if (first.fingerprint !== fingerprint) {
      throw new Problem(problems.IDEMPOTENCY_KEY_REUSED, { detail: 'Use a new key for each new request.' })
    }
    c.res = replay(first)
    return
  }
  await next()
  if (c.res.ok) await storeAnswer(tx, place, { fingerprint, ...(await answerOf(c.res)) })
}

function readKey(c: Context): string | undefined {
  const header = c.req.header('idempotency-key')
  if (header === undefined) return undefined
  if (/^[!-~]{1,255}$/.test(header)) return header
  throw new Problem(problems.VALIDATION_FAILED, {
    detail: 'The Idempotency-Key must be 1 to 255 visible ASCII characters, such as a UUID.',
    errors: [
      { detail: 'must be 1 to 255 visible ASCII characters', in: 'header', pointer: '#/idempotency-key' },
    ],
  })
}

async function answerOf(response: Response): Promise<Omit<StoredAnswer, 'fingerprint'>> {
  const headers = keptHeaders.flatMap((name) => {
    const value = response.headers.get(name)
    return value === null ? [] : [[name, value] satisfies [string, string]]
  })
  return {
    status: response.status,
    headers,
    body: response.body && Buffer.from(await response.clone().arrayBuffer()),
  }
}

function replay({ status, headers, body }: StoredAnswer): Response {
  const response = new Response(body && new Uint8Array(body), { status, headers })
  response.headers.set('Idempotency-Replayed', 'true')
  if (body) response.headers.set('Content-Length', String(body.byteLength))
  return response
}

/** Of method, path, query and body; of a multipart body its parts, since the boundary differs at every try. */
async function fingerprintOf(c: Context): Promise<string> {
  const { pathname, search } = new URL(c.req.url)
  const hash = createHash('sha256').update(`${c.req.method} ${pathname}${search}\n`)
  const bytes = new Uint8Array(await c.req.arrayBuffer())
  const multipart = c.req.header('content-type')?.toLowerCase().startsWith('multipart/')
  const parts = multipart && (await c.req.formData().catch(() => undefined))
  if (!parts) return hash.update(bytes).digest('base64url')
  for (const [name, part] of parts) {
    if (typeof part === 'string') hash.update(`${JSON.stringify([name, part])}\n`)
    else {
      hash.update(`${JSON.stringify([name, part.name, part.type, part.size])}\n`)
      hash.update(await part.bytes())
    }
  }
  return hash.digest('base64url')
}
