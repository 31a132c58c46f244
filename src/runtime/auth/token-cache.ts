import type { Caller } from './caller.ts'

const maxAgeMs = 600_000

/**
 * Creates a cache of verified tokens: verifying one takes half as much CPU as the rest of a read (decision 4). The key is
 * the whole token. An entry stays until the token's `exp`, but ten minutes at most. When the cache is full, the oldest
 * entries are removed.
 *
 * @param maxBytes how much memory the entries may take, approximately
 */
export function createTokenCache(maxBytes: number) {
  const entries = new Map<string, { caller: Caller; until: number; bytes: number }>()
  let bytes = 0

  function remove(token: string) {
    bytes -= entries.get(token)?.bytes ?? 0
    entries.delete(token)
  }

  return {
    /** The caller, if the token was verified before and is still valid. */
    get(token: string): Caller | undefined {
      const entry = entries.get(token)
      if (!entry) return undefined
      if (Date.now() < entry.until) return entry.caller
      remove(token)
      return undefined
    },
    /** @param expiresAt the token's `exp`, in seconds */
    set(token: string, caller: Caller, expiresAt: number): void {
      remove(token)
      // an estimate: the claims are about as long as the token, in strings of up to two bytes a character, and objects
      const size = token.length * 4 + 512
      if (size > maxBytes) return
      entries.set(token, { caller, until: Math.min(expiresAt * 1000, Date.now() + maxAgeMs), bytes: size })
      bytes += size
      for (const oldest of entries.keys()) {
        if (bytes <= maxBytes) break
        remove(oldest)
      }
    },
    get bytes(): number {
      return bytes
    },
  }
}
