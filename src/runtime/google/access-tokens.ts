import { orAborted } from '../kernel/or-aborted.ts'

/** A token, and when it ends, in milliseconds since 1970. */
export interface AccessToken {
  readonly value: string
  readonly expiresAt: number
}

/** The access token of the service's account: one for all requests. */
export interface AccessTokens {
  /**
   * A token that is good for a call now.
   *
   * @param signal gives up the wait for it; once nobody waits, the look-up ends too
   * @throws {Error} where none can be had
   */
  get(signal: AbortSignal): Promise<string>
  /** Tells that Google has refused a token: it is not given out again. */
  forget(value: string): void
}

/**
 * From here on a look-up brings a new one: the metadata server keeps a token until 4 min before its end.
 *
 * @see https://pkg.go.dev/cloud.google.com/go/auth (defaultExpiryDelta)
 */
const renewalMs = 225_000
/** What a call needs until it has arrived. */
const leastMs = 10_000
/** How long a look-up speaks for the next ones, from its end. */
const quietMs = 5_000
/** How long a request waits for a new token while the old one is good: its call needs time too. */
const patienceMs = 1_000

interface LookUp {
  readonly done: Promise<string>
  readonly controller: AbortController
  waiting: number
}

/**
 * Keeps an access token until shortly before its end. One look-up serves all who wait for it; it happens in a request,
 * and ends with the last that waits. While the old token is good, one request waits for the new one, and only a second.
 *
 * @param find looks one up; it rejects when its signal aborts
 */
export function accessTokens(find: (signal: AbortSignal) => Promise<AccessToken>): AccessTokens {
  let token: AccessToken | undefined
  let failure: Error | undefined
  let endedAt = Number.NEGATIVE_INFINITY
  let lookUp: LookUp | undefined

  function start(): LookUp {
    const controller = new AbortController()
    async function look(): Promise<string> {
      try {
        token = await find(controller.signal)
        failure = undefined
        return token.value
      } catch (cause) {
        failure = new Error('The service’s access token cannot be had', { cause })
        throw failure
      } finally {
        if (lookUp === started) {
          lookUp = undefined
          endedAt = Date.now()
        }
      }
    }
    const started: LookUp = { done: look(), controller, waiting: 0 }
    started.done.catch(() => {}) // all who waited may have left
    return started
  }

  async function wait(signal: AbortSignal): Promise<string> {
    lookUp ??= start()
    const joined = lookUp
    joined.waiting++
    try {
      return await orAborted(joined.done, signal)
    } finally {
      if (--joined.waiting === 0 && lookUp === joined) {
        lookUp = undefined // what was given up speaks for nobody: others may have more time
        joined.controller.abort(signal.reason)
      }
    }
  }

  return {
    async get(signal) {
      const leftMs = token ? token.expiresAt - Date.now() : 0
      const good = token && leftMs > leastMs ? token.value : undefined
      if (good && leftMs > renewalMs) return good
      const quiet = Date.now() - endedAt < quietMs
      if (good && (lookUp || quiet)) return good
      if (quiet && failure) throw failure
      return good ? renew(good, signal) : wait(signal)
    },
    forget(value) {
      if (token?.value === value) token = undefined
    },
  }

  /** A new token, or the old one where that takes too long. */
  async function renew(old: string, signal: AbortSignal): Promise<string> {
    const patience = new AbortController()
    const timer = setTimeout(() => patience.abort(new Error('The old one is good')), patienceMs)
    try {
      return await wait(AbortSignal.any([signal, patience.signal]))
    } catch (error) {
      if (signal.aborted) throw error
      if (patience.signal.aborted) endedAt = Date.now()
      return old
    } finally {
      clearTimeout(timer)
    }
  }
}
