import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { fetchKeys } from './fetch-keys.ts'

/** How long the keys are taken as they are; then a request fetches them again. */
const freshMs = 600_000
/** How long known keys stay good while the provider cannot be reached. */
const staleMs = 3_600_000
/** How long a failed fetch speaks for the next ones, from its end. */
const failureMs = 5_000
/** The least time between two fetches for a key that is not known. */
const lookupGapMs = 2_000
/** What each of them costs of a credit that time gives back: one in half a minute, and five more after a quiet time. */
const lookupCostMs = 30_000
const mostCreditMs = 5 * lookupCostMs

/** The provider's keys cannot be had: that is not the token's fault. */
export class KeySetUnavailable extends Error {
  override readonly name = 'KeySetUnavailable'
}

/** The keys of an identity provider. */
export interface KeySet {
  /**
   * Verifies something with the keys that are known. Where `verify` knows no key for it (JWKSNoMatchingKey), the
   * keys may have changed: it is called once more with fresh ones, unless they were just fetched.
   *
   * @throws {KeySetUnavailable} where the provider has to be asked and does not answer; and what `verify` throws
   */
  use<Verified>(verify: (getKey: JWTVerifyGetKey) => Promise<Verified>): Promise<Verified>
}

/**
 * The keys behind a URL, fetched inside the request that needs them. One fetch serves all who wait for it. Known keys
 * stay good for an hour while the provider does not answer. Tokens that name invented keys cause a fetch now and then,
 * never one each. (jose's own remote set leaves a timer behind for each fetch, which may not outlive a request here.)
 *
 * @param url the provider's JWKS; a token's own `jku` or `x5u` is never followed
 * @param algorithms those that tokens may be signed by: a key that serves none of them is passed over
 */
export function remoteKeySet(url: string, algorithms: readonly string[]): KeySet {
  let keys: JWTVerifyGetKey | undefined
  let fetchedAt = Number.NEGATIVE_INFINITY
  let endedAt = Number.NEGATIVE_INFINITY
  let failure: KeySetUnavailable | undefined
  let pending: Promise<void> | undefined
  let creditMs = mostCreditMs
  let creditedAt = Date.now()

  const since = (moment: number) => Date.now() - moment

  async function reload(): Promise<void> {
    try {
      keys = createLocalJWKSet(await usableKeys(await fetchKeys(url), algorithms))
      fetchedAt = Date.now()
      failure = undefined
    } catch (cause) {
      failure = new KeySetUnavailable(`The key set at ${url} cannot be used`, { cause })
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

  /** With known keys, one request at a time waits for fresh ones. */
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

  /** Whether a key that is not known is worth a fetch: invented ones must not hammer the provider. */
  function mayLookUp(): boolean {
    creditMs = Math.min(mostCreditMs, creditMs + since(creditedAt))
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
        else if (failure) throw failure // it may be a new key
        if (keys === known) throw error
        return verify(keys as JWTVerifyGetKey)
      }
    },
  }
}

/** jose takes RSA keys from this length on, and says so with each token only. */
const leastRsaBits = 2_048

/**
 * The set without the keys that cannot be imported: a token that names one of them names no key of ours.
 *
 * @throws {Error} where no key is left
 */
async function usableKeys(set: JSONWebKeySet, algorithms: readonly string[]): Promise<JSONWebKeySet> {
  createLocalJWKSet(set) // refuses what is no key set
  const usable = await Promise.all(set.keys.map((key) => isUsable(key, algorithms)))
  const keys = set.keys.filter((_key, index) => usable[index])
  if (keys.length === 0 && set.keys.length > 0) throw new Error('None of its keys can be used')
  return { keys }
}

async function isUsable(key: JSONWebKeySet['keys'][number], algorithms: readonly string[]): Promise<boolean> {
  const getKey = createLocalJWKSet({ keys: [key] })
  for (const alg of algorithms) {
    try {
      const imported = await getKey({ alg })
      const bits = Reflect.get(imported.algorithm, 'modulusLength')
      return bits === undefined || bits >= leastRsaBits
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) return false
    }
  }
  return true // of another kind: it matches no token
}
