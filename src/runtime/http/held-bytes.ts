import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import { Problem, problems } from '../kernel/problem.ts'

/** The part of the memory budget that one request has reserved. */
export interface Hold {
  /**
   * Reserves more bytes.
   *
   * @throws {Problem} OVERLOADED if other requests hold too much
   */
  take(bytes: number): void
  /** Gives back some of the reserved bytes. */
  give(bytes: number): void
  /** Gives back everything. Later reservations do not count. */
  release(): void
}

/** A budget for the memory that all requests hold at once, in their bodies and responses. */
export interface HeldBytes {
  /** Opens the reservation of a request. */
  begin(): Hold
  /** How many bytes are reserved now. */
  readonly held: number
  /** How many bytes can be reserved. */
  readonly limit: number
}

/** A request of at most this size, in bytes, is small. Small requests are admitted when large ones are refused. */
export const smallBytes = 64 * 1024
/** The share of the budget that is kept for small requests. */
const reserve = 1 / 8

/**
 * Creates a memory budget. It counts what all requests hold, so that the service refuses work (503, `Retry-After`) before
 * the process runs out of memory. A request that is larger than the whole share of large ones is admitted if no other
 * large request is running.
 *
 * @param limit in bytes
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
            detail: 'Other requests hold too much memory. Retry in a moment.',
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
 * The memory budget of this process: a quarter of the container's memory. V8 lets its heap grow to half of it; the budget
 * is half of that. See docs/decisions/021.
 */
export const processBytes = heldBytes(Math.min(getHeapStatistics().heap_size_limit, totalmem() / 2) / 2)
