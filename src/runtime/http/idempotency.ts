import { createHash } from 'node:crypto'
import { z } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import type { Caller } from '../auth/caller.ts'
import type { Database, Transaction } from '../database/database.ts'
import { findAnswer, lockKey, type StoredAnswer, storeAnswer } from '../database/idempotency-store.ts'
import { Problem, problems } from '../kernel/problem.ts'
import type { BaseEnv } from './env.ts'
import { splitMultipart } from './multipart.ts'
import { stateOf } from './request-state.ts'
import { isSentStream } from './send-stream.ts'
import { isEventStream, settle } from './settle.ts'

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

/**
 * Not kept of the first response: what the server says for each response, and cookies, which are credentials, and would
 * overwrite a newer one.
 */
const notKept = /^(access-control-.*|connection|content-length|date|keep-alive|set-cookie|transfer-encoding)$/

/** 1 MiB: bytes of a response that are kept at most. */
const keptBytes = 1024 * 1024

/** Ends the transaction without its writes, and leaves the answer as it is. */
class Rollback extends Error {}

type Env = BaseEnv & { Variables: { caller: Caller; tx: Transaction } }

/**
 * Opens the transaction that the handler works in (`c.var.tx`), and honours `Idempotency-Key`: same key and
 * request, the first answer again; another request, 422; the first still running, 409 at once. 2xx and 3xx
 * responses are stored, in the same commit as the handler's writes; a 4xx or 5xx leaves neither. A replay is the first
 * response, byte for byte, with its headers but cookies.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
export function idempotency(database: Database): MiddlewareHandler<Env> {
  return async function idempotency(c, next) {
    const key = readKey(c)
    try {
      await database.transaction(async (tx) => {
        c.set('tx', tx)
        if (key === undefined) await work(c, next)
        else await once(c, next, tx, key)
        c.var.signal.throwIfAborted() // nobody waits for the answer: what it would say must not be so
        if (!commits(c)) throw new Rollback()
      })
    } catch (error) {
      if (!(error instanceof Rollback)) throw error
    }
  }
}

/** Runs the handler, and makes sure that its response can be written, and kept, before anything is committed. */
async function work(c: Context<Env>, next: () => Promise<void>): Promise<void> {
  await next()
  if (isSentStream(c.res) || isEventStream(c.res)) throw notKeepable(c, 'a stream, which is nothing')
  await settle(c as unknown as Context<BaseEnv>, keptBytes)
  if (stateOf(c).stream?.response === c.res || (stateOf(c).written?.length ?? 0) > keptBytes)
    throw notKeepable(c, `more than ${keptBytes} bytes, which is more than`)
}

/** A redirect is a success too: a form's POST is answered by one. */
function commits(c: Context<Env>): boolean {
  return c.res.status < 400
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
  await work(c, next)
  if (commits(c)) await storeAnswer(tx, place, { fingerprint, ...(await answerOf(c)) })
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

async function answerOf(c: Context<Env>): Promise<Omit<StoredAnswer, 'fingerprint'>> {
  const { res } = c
  const everyResponse = new Headers(stateOf(c).responseHeaders)
  const headers = [...res.headers].filter(
    ([name, value]) => !notKept.test(name) && everyResponse.get(name) !== value,
  )
  const body = res.body && Buffer.from(await res.clone().arrayBuffer())
  return { status: res.status, headers, body }
}

function notKeepable(c: Context<Env>, what: string): Error {
  void c.res.body?.cancel().catch(() => {})
  return new Error(
    `${c.req.method} ${routePath(c, -1)} is idempotent, but answered with ${what} that can be kept for a retry: ` +
      'answer with where the result is, or leave `idempotent` out.',
  )
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
  const bytes = Buffer.from(await c.req.arrayBuffer())
  const parts = partsOf(bytes, c.req.header('content-type') ?? '')
  if (!parts) return hash.update(bytes).digest('base64url')
  for (const part of parts) hash.update(`${part.length}\n`).update(part)
  return hash.digest('base64url')
}

/** The parts of a multipart form; nothing of any other body, which has no form's schema. */
function partsOf(bytes: Buffer<ArrayBuffer>, type: string): readonly Buffer[] | undefined {
  if (!/^multipart\//i.test(type)) return undefined
  try {
    return splitMultipart(bytes, type)
  } catch {
    return undefined
  }
}
