import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'

const freshFor = 600_000
const cooldown = 30_000
const fetchTime = 5_000
/** How long a failed fetch answers for the next ones. */
const failureTime = 1_000

/**
 * The keys of an identity provider, fetched inside the request that needs them: at first, every ten minutes,
 * and for an unknown `kid` once in thirty seconds, so that invented ones cannot hammer the provider.
 * (jose's own remote set leaves a timer behind for each fetch, which may not outlive a request here.)
 *
 * @param url the provider's JWKS; a token's own `jku` or `x5u` is never followed
 */
export function remoteKeySet(url: string): JWTVerifyGetKey {
  let keys: ReturnType<typeof createLocalJWKSet> | undefined
  let triedAt = Number.NEGATIVE_INFINITY
  let fetchedAt = Number.NEGATIVE_INFINITY
  let pending: Promise<void> | undefined
  let failure: unknown

  async function reload() {
    triedAt = Date.now()
    failure = undefined
    try {
      keys = createLocalJWKSet(await fetchKeys(url))
      fetchedAt = Date.now()
    } catch (error) {
      failure = error
      throw error
    }
  }

  function reloadOnce(): Promise<void> {
    if (failure && Date.now() - triedAt < failureTime) throw failure
    pending ??= reload().finally(() => {
      pending = undefined
    })
    return pending
  }

  return async function getKey(header, token) {
    if (!keys || Date.now() - fetchedAt >= freshFor) await reloadOnce()
    try {
      return await known(keys)(header, token)
    } catch (error) {
      const unknownKey = error instanceof errors.JWKSNoMatchingKey
      if (!unknownKey || Date.now() - triedAt < cooldown) throw error
      await reloadOnce()
      return known(keys)(header, token)
    }
  }
}

function known<Keys>(keys: Keys | undefined): Keys {
  if (!keys) throw new Error('The key set could not be fetched')
  return keys
}

/** Without keep-alive: an idle socket would outlive the request. */
async function fetchKeys(url: string): Promise<JSONWebKeySet> {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), fetchTime)
  try {
    const response = await fetch(url, {
      redirect: 'error',
      signal: controller.signal,
      headers: { accept: 'application/json', connection: 'close' },
    })
    if (response.status !== 200) throw new Error(`The key set at ${url} answered ${response.status}`)
    return (await response.json()) as JSONWebKeySet
  } finally {
    clearTimeout(timer)
    controller.abort() // a body that was not read would hold its socket
  }
}
