import type { Database } from '../database/database.ts'
import { waitAtMost } from '../kernel/wait-at-most.ts'
import { type ClaimedRow, leaseMs, renewLease } from './transitions.ts'

const renewalMs = leaseMs / 3
/**
 * How long a renewal may take even if the lease has expired: a process that had no CPU for a while may still renew it.
 */
const minRenewalMs = 1_000

/** The attempt no longer has the task: another process has taken it, or it was cancelled. It may write nothing. */
export class LeaseLostError extends Error {}

/**
 * Renews the lease of a claimed task while its request works on it, three times as often as necessary.
 *
 * @param lost is called when another process has the lease, or when the lease has expired and the database did not respond
 * @returns a function that stops the renewals. It resolves when no renewal is running any more
 */
export function startLeaseRenewal(
  database: Database,
  row: ClaimedRow,
  lost: (reason: LeaseLostError) => void,
): () => Promise<void> {
  let goodUntil = performance.now() + leaseMs
  let over = false
  let turn = Promise.resolve()
  let timer = next()

  function next(): NodeJS.Timeout {
    const wait = Math.min(renewalMs, goodUntil - performance.now())
    return setTimeout(() => {
      turn = renewOnce()
    }, wait)
  }

  function end(reason: string): void {
    over = true
    lost(new LeaseLostError(reason))
  }

  async function renewOnce(): Promise<void> {
    const asked = performance.now()
    const renewal = renewLease(database, row).then((mine) => {
      if (mine) goodUntil = asked + leaseMs
      else if (!over) end('The task was cancelled, or another process has taken it')
    })
    // after a failure, the lease is still valid for two more renewals
    await waitAtMost(Math.min(renewalMs, Math.max(goodUntil - asked, minRenewalMs)), renewal)
    if (!over && performance.now() >= goodUntil) end('The lease expired: the database did not respond')
    if (!over) timer = next()
  }

  return async function stop() {
    over = true
    clearTimeout(timer)
    await turn
  }
}
