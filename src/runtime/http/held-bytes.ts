import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import { Problem, problems } from '../kernel/problem.ts'

/** What one request holds of the process's memory. */
export interface Hold {
  /**
   * Takes so many bytes more.
   *
   * @throws {Problem} OVERLOADED where other requests hold too much already
   */
  take(bytes: number): void
  /** Gives back bytes that it took. */
  give(bytes: number): void
  /** Gives back all. What is taken later counts for nothing. */
  release(): void
}

/** How much requests hold at once, bodies and responses together. */
export interface HeldBytes {
  /** Begins to count for one request. */
  begin(): Hold
  /** Bytes that are held now. */
  readonly held: number
  /** Bytes that may be held. */
  readonly limit: number
}

/** Bytes. A request up to this size is small: it is let in when large ones are refused. */
export const smallBytes = 64 * 1024
/** Of the limit, what is kept for small requests. */
const reserve = 1 / 8

/**
 * Counts what all requests hold, so that the process refuses work (503, `Retry-After`) before its memory ends. A
 * request that is larger than all that large ones may take is let in where no other large one is.
 *
 * @param limit bytes
 */
export function heldBytes(limit: number): HeldBytes {
  const forLarge = limit * (1 - reserve)
  let held = 0

  function begin(): Hold {
    let own = 0
    let released = false
    return {
      take(bytes) {
        if (released) return
        const small = own + bytes <= smallBytes
        const alone = held - own <= limit * reserve
        if (held + bytes > (small ? limit : forLarge) && (small || !alone)) {
          throw new Problem(problems.OVERLOADED, {
            detail: 'Other requests hold too much memory. Send it again in a moment.',
            headers: { 'Retry-After': '1' },
          })
        }
        own += bytes
        held += bytes
      },
      give(bytes) {
        const given = Math.min(bytes, own)
        own -= given
        held -= given
      },
      release() {
        released = true
        held -= own
        own = 0
      },
    }
  }

  return {
    begin,
    limit,
    get held() {
      return held
    },
  }
}

/**
 * What the requests of this process hold. The limit is half of what V8 lets its heap grow to, which is half of the
 * container's memory: a quarter of it. See docs/decisions/021.
 */
export const processBytes = heldBytes(Math.min(getHeapStatistics().heap_size_limit, totalmem() / 2) / 2)
