import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { fetchKeys } from './fetch-keys.ts'

/** How long keys are fresh. After that, a request fetches them again. */
const freshMs = 600_000
/** How long known keys stay valid while the provider cannot be reached. */
const staleMs = 3_600_000
/** How long after a failed fetch there is no new one: requests get the same error. */
const failureMs = 5_000
/** The minimum time between two fetches for an unknown key. */
const lookupGapMs = 2_000
/**
 * What a fetch for an unknown key costs. Each millisecond gives one millisecond of credit: this allows a fetch every half
 * minute, and five at once after a quiet time.
 */
const lookupCostMs = 30_000
const maxCreditMs = 5 * lookupCostMs

/** The provider's keys cannot be fetched. The token may be valid. */
export class KeySetUnavailableError extends Error {
  override readonly name = 'KeySetUnavailableError'
}

/** The keys of an identity provider. */
export interface KeySet {
  /**
   * Calls `verify` with the known keys. If it finds no matching key (JWKSNoMatchingKey), the keys may have changed:
   * `verify` is called once more with fresh keys, unless they were just fetched.
   *
   * @throws {KeySetUnavailableError} when the keys have to be fetched and cannot be; and what `verify` throws
   */
  use<Verified>(verify: (getKey: JWTVerifyGetKey) => Promise<Verified>): Promise<Verified>
}

/**
 * The keys at a URL. The request that needs them fetches them, and all requests that wait share one fetch. Known keys
 * stay valid for an hour while the provider does not respond. Tokens that name invented keys cause a fetch now and then,
 * not one each. (jose's own remote key set starts a timer for each fetch. Here, no timer may outlive its request.)
 *
 * @param url the provider's JWKS. A token's own `jku` or `x5u` is never followed
 * @param algorithms the algorithms that tokens may use. Keys for other algorithms are ignored
 */
export function remoteKeySet(url: string, algorithms: readonly string[]): KeySet {
  let keys: JWTVerifyGetKey | undefined
  let fetchedAt = Number.NEGATIVE_INFINITY
  let endedAt = Number.NEGATIVE_INFINITY
  let failure: KeySetUnavailableError | undefined
  let pending: Promise<void> | undefined
  let creditMs = maxCreditMs
  let creditedAt = Date.now()

  const since = (moment: number) => Date.now() - moment

  async function reload(): Promise<void> {
    try {
      keys = createLocalJWKSet(await usableKeys(await fetchKeys(url), algorithms))
      fetchedAt = Date.now()
      failure = undefined
    } catch (cause) {
      failure = new KeySetUnavailableError(`The keys at ${url} cannot be fetched or used`, { cause })
      throw failure
    } finally {
      endedAt = Date.now()
    }
  }

  function reloadOnce(): Promise<void> {
    if (!pending && failure && since(endedAt) < failureMs) return Promise.reject(failure)
    pending ??= reload().finally(() => {
      pending = undefined
    })
    return pending
  }

  /** The keys for a token. While known keys are valid, only one request at a time waits for fresh ones. */
  async function current(): Promise<JWTVerifyGetKey> {
    const good = keys && since(fetchedAt) < staleMs ? keys : undefined
    if (good && (since(fetchedAt) < freshMs || pending)) return good
    try {
      await reloadOnce()
    } catch (error) {
      if (!good) throw error
    }
    return keys as JWTVerifyGetKey
  }

  /** Whether an unknown key may cause a fetch now. Limits the fetches that invented keys can cause. */
  function mayLookUp(): boolean {
    creditMs = Math.min(maxCreditMs, creditMs + since(creditedAt))
    creditedAt = Date.now()
    if (pending) return true
    if (creditMs < lookupCostMs || since(endedAt) < lookupGapMs) return false
    creditMs -= lookupCostMs
    return true
  }

  return {
    async use(verify) {
      let known: JWTVerifyGetKey | undefined
      try {
        return await verify(async (...header) => {
          known = await current()
          return known(...header)
        })
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
        if (mayLookUp()) await reloadOnce()
        else if (failure) throw failure // the token's key may be a new one
        if (keys === known) throw error
        return verify(keys as JWTVerifyGetKey)
      }
    },
  }
}

/** jose accepts RSA keys from this length on, but checks it only when it verifies a token. */
const minRsaBits = 2_048

/**
 * The key set without the keys that cannot be imported. A token that names one of those gets the same response as one
 * that names an unknown key.
 *
 * @throws {Error} when no key is left
 */
async function usableKeys(set: JSONWebKeySet, algorithms: readonly string[]): Promise<JSONWebKeySet> {
  createLocalJWKSet(set) // throws if it is not a key set
  const usable = await Promise.all(set.keys.map((key) => isUsable(key, algorithms)))
  const keys = set.keys.filter((_key, index) => usable[index])
  if (keys.length === 0 && set.keys.length > 0) throw new Error('None of the keys can be used')
  return { keys }
}

async function isUsable(key: JSONWebKeySet['keys'][number], algorithms: readonly string[]): Promise<boolean> {
  const getKey = createLocalJWKSet({ keys: [key] })
  for (const alg of algorithms) {
    try {
      const imported = await getKey({ alg })
      const bits = Reflect.get(imported.algorithm, 'modulusLength')
      return bits === undefined || bits >= minRsaBits
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) return false
    }
  }
  return true // for other algorithms: it matches no token
}
