import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import { Problem, problems } from '../kernel/problem.ts'

/** The part of the memory budget that one request has reserved. */
export interface MemoryReservation {
  /**
   * Reserves more bytes.
   *
   * @throws {Problem} OVERLOADED if other requests hold too much
   */
  reserve(bytes: number): void
  /** Gives back some of the reserved bytes. */
  giveBack(bytes: number): void
  /** Gives back everything. Later reservations do not count. */
  release(): void
}

/** A budget for the memory that all requests hold at once, in their bodies and responses. */
export interface MemoryBudget {
  /** Opens the reservation of a request. */
  open(): MemoryReservation
  /** How many bytes are reserved now. */
  readonly reservedBytes: number
  /** How many bytes can be reserved. */
  readonly limitBytes: number
}

/** A request of at most this size, in bytes, is small. Small requests are admitted when large ones are refused. */
export const smallBytes = 64 * 1024
/** The share of the budget that is kept for small requests. */
const smallShare = 1 / 8

/**
 * Creates a memory budget. It counts what all requests hold, so that the service refuses work (503, `Retry-After`) before
 * the process runs out of memory. A request that is larger than the whole share of large ones is admitted if no other
 * large request is running.
 *
 * @param limit in bytes
 */
export function createMemoryBudget(limit: number): MemoryBudget {
  const forLarge = limit * (1 - smallShare)
  let held = 0

  function open(): MemoryReservation {
    let own = 0
    let released = false
    return {
      reserve(bytes) {
        if (released) return
        const small = own + bytes <= smallBytes
        const alone = held - own <= limit * smallShare
        if (held + bytes > (small ? limit : forLarge) && (small || !alone)) {
          throw new Problem(problems.OVERLOADED, {
            detail: 'Other requests hold too much memory. Retry in a moment.',
            headers: { 'Retry-After': '1' },
          })
        }
        own += bytes
        held += bytes
      },
      giveBack(bytes) {
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
    open,
    limitBytes: limit,
    get reservedBytes() {
      return held
    },
  }
}

/**
 * The memory budget of this process: a quarter of the container's memory. V8 lets its heap grow to half of it; the budget
 * is half of that. See docs/decisions/021.
 */
export const processMemory = createMemoryBudget(
  Math.min(getHeapStatistics().heap_size_limit, totalmem() / 2) / 2,
)
