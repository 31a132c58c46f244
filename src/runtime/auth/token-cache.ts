import type { Caller } from './caller.ts'

const longest = 600_000

/**
 * Remembers verified tokens, since verifying costs more than all else in a request: until their `exp`, ten
 * minutes at most, keyed by the whole token, the oldest leaving first.
 *
 * @param maxBytes how much memory the entries may take, roughly
 */
export function tokenCache(maxBytes: number) {
  const entries = new Map<string, { caller: Caller; until: number; bytes: number }>()
  let bytes = 0

  function forget(token: string) {
    bytes -= entries.get(token)?.bytes ?? 0
    entries.delete(token)
  }

  return {
    /** The caller of a token that was verified before and is still good. */
    get(token: string): Caller | undefined {
      const entry = entries.get(token)
      if (!entry) return undefined
      if (Date.now() < entry.until) return entry.caller
      forget(token)
      return undefined
    },
    /** @param expiresAt the token's `exp`, in seconds */
    set(token: string, caller: Caller, expiresAt: number): void {
      forget(token)
      // A token of n characters holds about as many of claims, in strings of up to two bytes, and their objects
      const size = token.length * 4 + 512
      if (size > maxBytes) return
      entries.set(token, { caller, until: Math.min(expiresAt * 1000, Date.now() + longest), bytes: size })
      bytes += size
      for (const oldest of entries.keys()) {
        if (bytes <= maxBytes) break
        forget(oldest)
      }
    },
    get bytes(): number {
      return bytes
    },
  }
}
