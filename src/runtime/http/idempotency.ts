import { createHash } from 'node:crypto'
import { z } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import type { AnyCaller } from '../auth/api-key.ts'
import type { Database, Transaction } from '../database/database.ts'
import {
  findStoredResponse,
  lockKey,
  type StoredResponse,
  storeResponse,
} from '../database/idempotency-store.ts'
import { Problem, problems } from '../kernel/problem.ts'
import type { BaseEnv } from './env.ts'
import { splitMultipart } from './multipart.ts'
import { isEventStream, prepareResponse } from './prepare-response.ts'
import { stateOf } from './request-state.ts'
import { bodyLength, headersOf, isPrepared, knownBody } from './response.ts'
import { headersOfEveryResponse } from './response-headers.ts'
import { isSentStream } from './send-stream.ts'

/** The header, for the contract. The middleware reads it itself. */
export const idempotencyKey = z.object({
  'Idempotency-Key': z
    .string()
    .regex(/^[!-~]{1,255}$/)
    .optional()
    .openapi({
      description:
        'Makes a retry safe: for 24 hours, the same request with the same key gets the first response',
      example: '5f0c7a52-7b1b-4a57-9b43-0c1a3a0b7d11',
    }),
})

/**
 * Headers that are not stored: those that the server sets for each response, and cookies. Cookies are credentials, and a
 * replayed one could overwrite a newer one.
 */
const notStored =
  /^(access-control-.*|connection|content-length|date|keep-alive|set-cookie|transfer-encoding)$/

/** The size of a response that can be stored, at most: 1 MiB. */
const maxStoredBytes = 1024 * 1024

/** Rolls the transaction back, and leaves the response as it is. */
class RollbackError extends Error {}

type Env = BaseEnv & { Variables: { caller: AnyCaller; tx: Transaction } }

/**
 * Opens the handler's transaction (`c.var.tx`), and honours `Idempotency-Key`. The same key and request get the first
 * response again. Another request with the same key gets a 422. While the first request is running, others get a 409 at
 * once.
 *
 * 2xx and 3xx responses are stored, in the same commit as the handler's writes. A 4xx or 5xx commits neither. A replay
 * has the bytes of the first response, and its headers without cookies.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
export function idempotency(database: Database): MiddlewareHandler<Env> {
  return async function idempotency(c, next) {
    const key = readKey(c)
    try {
      await database.transaction(async (tx) => {
        c.set('tx', tx)
        if (key === undefined) await runHandler(c, next)
        else await runOnce(c, next, tx, key)
        c.var.signal.throwIfAborted() // if the request has ended, nothing is committed
        if (!isSuccess(c)) throw new RollbackError()
      })
    } catch (error) {
      if (!(error instanceof RollbackError)) throw error
    }
  }
}

/** Runs the handler. Checks that its response can be sent and stored, before anything is committed. */
async function runHandler(c: Context<Env>, next: () => Promise<void>): Promise<void> {
  await next()
  if (!isPrepared(c)) {
    if (isSentStream(c.res) || isEventStream(c.res)) throw cannotStore(c, 'a stream')
    await prepareResponse(c as unknown as Context<BaseEnv>, maxStoredBytes)
  }
  if (stateOf(c).stream?.response === c.res || (bodyLength(c) ?? 0) > maxStoredBytes)
    throw cannotStore(c, `larger than ${maxStoredBytes} bytes`)
}

/** A redirect is a success too: a POST of a form often responds with one. */
function isSuccess(c: Context<Env>): boolean {
  return c.res.status < 400
}

async function runOnce(
  c: Context<Env>,
  next: () => Promise<void>,
  tx: Transaction,
  key: string,
): Promise<void> {
  const { issuer, subject } = c.var.caller
  const callerKey = { caller: JSON.stringify([issuer, subject]), key }
  if (!(await lockKey(tx, callerKey))) {
    throw new Problem(problems.IDEMPOTENCY_KEY_IN_USE, {
      detail: 'Wait for the first response, or retry in a moment.',
      headers: { 'Retry-After': '1' },
    })
  }
  const fingerprint = await fingerprintOf(c)
  const first = await findStoredResponse(tx, callerKey)
  if (first) {
    if (first.fingerprint !== fingerprint) {
      throw new Problem(problems.IDEMPOTENCY_KEY_REUSED, { detail: 'Use a new key for each new request.' })
    }
    c.res = replay(first)
    return
  }
  await runHandler(c, next)
  if (isSuccess(c)) await storeResponse(tx, callerKey, { fingerprint, ...toStoredResponse(c) })
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

function toStoredResponse(c: Context<Env>): Omit<StoredResponse, 'fingerprint'> {
  const everyResponse = new Headers(headersOfEveryResponse(c as unknown as Context<BaseEnv>))
  const headers = [...headersOf(c)].filter(
    ([name, value]) => !notStored.test(name) && everyResponse.get(name) !== value,
  )
  const content = knownBody(c)?.content ?? null
  return { status: c.res.status, headers, body: content === null ? null : Buffer.from(content) }
}

function cannotStore(c: Context<Env>, what: string): Error {
  void c.res.body?.cancel().catch(() => {})
  return new Error(
    `${c.req.method} ${routePath(c, -1)} is idempotent, but its response is ${what}. It cannot be stored for a retry: ` +
      'respond with where the result is, or leave `idempotent` out.',
  )
}

function replay({ status, headers, body }: StoredResponse): Response {
  const response = new Response(body && new Uint8Array(body), { status, headers })
  response.headers.set('Idempotency-Replayed', 'true')
  if (body) response.headers.set('Content-Length', String(body.byteLength))
  return response
}

/** A hash of method, path, query and body. Of a multipart body, it takes the parts: each retry has another boundary. */
async function fingerprintOf(c: Context): Promise<string> {
  const { pathname, search } = new URL(c.req.url)
  const hash = createHash('sha256').update(`${c.req.method} ${pathname}${search}\n`)
  const bytes = Buffer.from(await c.req.arrayBuffer())
  const parts = partsOf(bytes, c.req.header('content-type') ?? '')
  if (!parts) return hash.update(bytes).digest('base64url')
  for (const part of parts) hash.update(`${part.length}\n`).update(part)
  return hash.digest('base64url')
}

/** The parts of a multipart form; `undefined` for any other body. */
function partsOf(bytes: Buffer<ArrayBuffer>, type: string): readonly Buffer[] | undefined {
  if (!/^multipart\//i.test(type)) return undefined
  try {
    return splitMultipart(bytes, type)
  } catch {
    return undefined
  }
}
