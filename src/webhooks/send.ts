import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { LookupFunction } from 'node:net'
import { waitAtMost } from '#runtime'
import type { Outcome } from './outcome.ts'
import { signatureHeaders } from './sign.ts'
import { type Address, addressesOf, Refusal, type Resolve } from './target.ts'

/** What is sent, and where. */
export interface Message {
  readonly url: string
  /** The `webhook-id`. */
  readonly eventId: string
  readonly body: string
}

/** What sending needs of the service. */
export interface SendOptions {
  readonly secrets: readonly string[]
  readonly privateHosts: readonly string[]
  /** How long the receiver may take to respond. */
  readonly timeoutMs: number
  readonly userAgent: string
  readonly signal: AbortSignal
  /** How host names are looked up; by the system, if absent. */
  readonly resolve?: Resolve
}

/**
 * Sends a webhook once, on a connection of its own, which ends when the status has arrived. Nothing is read of the response's
 * body, and redirects are not followed: a receiver cannot make the service read or show what is behind another address.
 *
 * @returns what became of it
 * @throws the signal's reason if it aborts
 */
export async function sendWebhook(message: Message, options: SendOptions): Promise<Outcome> {
  const { signal, timeoutMs } = options
  signal.throwIfAborted()
  const late = new AbortController()
  const aborted = once(signal, 'abort', { signal: late.signal }) // a look-up cannot be aborted: do not wait for it
  aborted.catch(() => {})
  const start = performance.now()
  const sending = send(message, options, AbortSignal.any([signal, late.signal]))
  sending.catch(() => {}) // it may fail after its time
  const isInTime = await waitAtMost(timeoutMs, Promise.race([sending, aborted]))
  late.abort()
  signal.throwIfAborted()
  const durationMs = Math.round(performance.now() - start)
  if (!isInTime) return { error: `There was no response within ${timeoutMs / 1000} s`, durationMs }
  try {
    return { ...(await sending), durationMs }
  } catch (error) {
    if (error instanceof Refusal) return { error: error.message }
    return { error: `There was no response: ${codeOf(error)}`, durationMs }
  }
}

async function send(
  { url, eventId, body }: Message,
  options: SendOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const { secrets, privateHosts, userAgent, resolve } = options
  const target = new URL(url)
  const addresses = await addressesOf(target, privateHosts, resolve)
  const { request } = target.protocol === 'https:' ? await import('node:https') : await import('node:http')
  signal.throwIfAborted()
  const sent = request(target, {
    ...{ method: 'POST', agent: false, signal, lookup: lookupIn(addresses) },
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': userAgent,
      ...signatureHeaders(secrets, { id: eventId, body }, Math.floor(Date.now() / 1000)),
    },
  })
  sent.on('error', () => {}) // a second error may come after the response
  try {
    const responded = once(sent, 'response') as Promise<[IncomingMessage]>
    sent.end(body)
    const [{ statusCode: status = 0, headers }] = await responded
    const retryAfterMs = [429, 503].includes(status) ? waitOf(headers['retry-after']) : undefined
    return {
      status,
      ...(status >= 300 && status < 400 && { error: 'It was a redirect, and these are not followed' }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    }
  } finally {
    sent.destroy()
  }
}

/** A look-up that knows the checked addresses alone. Node calls it for names, and not for addresses. */
function lookupIn(addresses: readonly Address[]): LookupFunction {
  const [first = { address: '', family: 4 }] = addresses
  return (_hostname, { all }, callback) =>
    all ? callback(null, [...addresses]) : callback(null, first.address, first.family)
}

/** `Retry-After` in milliseconds: it is in seconds, or a date. */
function waitOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}

/** The code of a failure, such as ECONNREFUSED or CERT_HAS_EXPIRED. Its message could name addresses. */
function codeOf(error: unknown): string {
  const { code }: NodeJS.ErrnoException = error instanceof Error ? error : new Error()
  return code ?? 'the connection failed'
}
