import { abortable } from '../kernel/abortable-wait.ts'

/** An access token, and when it expires, in milliseconds since 1970. */
export interface AccessToken {
  readonly value: string
  readonly expiresAt: number
}

/** One kind of token of the service's own account. All requests share it. */
export interface AccessTokens {
  /**
   * A token that is valid for a call now.
   *
   * @param signal ends the wait. When no caller waits any more, the fetch ends too
   * @throws {Error} when no token can be fetched
   */
  get(signal: AbortSignal): Promise<string>
  /** Call this when Google has refused a token: it is not used again. */
  invalidate(value: string): void
}

/**
 * A token is renewed when it expires within this time. (Earlier, the metadata server would return the same one: it keeps
 * a token until 4 min before the end.)
 *
 * @see https://pkg.go.dev/cloud.google.com/go/auth (defaultExpiryDelta)
 */
const renewalMs = 225_000
/** A token must be valid for at least this long, so that it is still valid when the call arrives. */
const minValidMs = 10_000
/** How long the result of a fetch holds for later callers: there is no new fetch until then. */
const failureMs = 5_000
/** How long a request waits for a new token while the old one is still valid. */
const renewalWaitMs = 1_000

interface LookUp {
  readonly done: Promise<string>
  readonly controller: AbortController
  waiting: number
}

/**
 * Keeps an access token until shortly before it expires. All callers that wait share one fetch. The fetch runs inside a
 * request, and ends when the last caller stops waiting. While the old token is valid, one request at most waits for the
 * new one, a second at most.
 *
 * @param fetchToken fetches a token, and rejects when its signal aborts
 * @param what names the token in the error
 */
export function createAccessTokens(
  fetchToken: (signal: AbortSignal) => Promise<AccessToken>,
  what = 'The access token of the service’s account',
): AccessTokens {
  let token: AccessToken | undefined
  let failure: Error | undefined
  let endedAt = Number.NEGATIVE_INFINITY
  let lookUp: LookUp | undefined

  function start(): LookUp {
    const controller = new AbortController()
    async function look(): Promise<string> {
      try {
        token = await fetchToken(controller.signal)
        failure = undefined
        return token.value
      } catch (cause) {
        failure = new Error(`${what} cannot be fetched`, { cause })
        throw failure
      } finally {
        if (lookUp === started) {
          lookUp = undefined
          endedAt = Date.now()
        }
      }
    }
    const started: LookUp = { done: look(), controller, waiting: 0 }
    started.done.catch(() => {}) // perhaps no caller waits any more
    return started
  }

  async function wait(signal: AbortSignal): Promise<string> {
    lookUp ??= start()
    const joined = lookUp
    joined.waiting++
    try {
      return await abortable(joined.done, signal)
    } finally {
      if (--joined.waiting === 0 && lookUp === joined) {
        lookUp = undefined // the next caller starts a new fetch: it may have more time
        joined.controller.abort(signal.reason)
      }
    }
  }

  return {
    async get(signal) {
      const leftMs = token ? token.expiresAt - Date.now() : 0
      const good = token && leftMs > minValidMs ? token.value : undefined
      if (good && leftMs > renewalMs) return good
      const quiet = Date.now() - endedAt < failureMs
      if (good && (lookUp || quiet)) return good
      if (quiet && failure) throw failure
      return good ? renew(good, signal) : wait(signal)
    },
    invalidate(value) {
      if (token?.value === value) token = undefined
    },
  }

  /** A new token, or the old one if the fetch takes too long. */
  async function renew(old: string, signal: AbortSignal): Promise<string> {
    const timeout = new AbortController()
    const timer = setTimeout(() => timeout.abort(new Error('The old token is still valid')), renewalWaitMs)
    try {
      return await wait(AbortSignal.any([signal, timeout.signal]))
    } catch (error) {
      if (signal.aborted) throw error
      if (timeout.signal.aborted) endedAt = Date.now()
      return old
    } finally {
      clearTimeout(timer)
    }
  }
}
