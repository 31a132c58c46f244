import type { Database } from '../database/database.ts'
import { within } from '../kernel/within.ts'
import { type ClaimedRow, leaseTime, renew } from './ledger.ts'

const renewTime = leaseTime / 3
/** What a renewal has to answer even when the lease has run out: whoever had no CPU meanwhile may still get it. */
const lastTime = 1_000

/** The task was taken away from whoever worked on it: nothing may be written. */
export class LeaseLost extends Error {}

/**
 * Renews the lease of a claimed task, three times as often as it must be, in the request that works on it.
 *
 * @param lost called when the lease is someone else's, or has run out while the database could not be asked
 * @returns what ends the renewals; it resolves when none is under way any more
 */
export function keepLease(
  database: Database,
  row: ClaimedRow,
  lost: (reason: LeaseLost) => void,
): () => Promise<void> {
  let goodUntil = performance.now() + leaseTime
  let over = false
  let turn = Promise.resolve()
  let timer = next()

  function next(): NodeJS.Timeout {
    const wait = Math.min(renewTime, goodUntil - performance.now())
    return setTimeout(() => {
      turn = renewOnce()
    }, wait)
  }

  function end(reason: string): void {
    over = true
    lost(new LeaseLost(reason))
  }

  async function renewOnce(): Promise<void> {
    const asked = performance.now()
    const renewal = renew(database, row).then((mine) => {
      if (mine) goodUntil = asked + leaseTime
      else if (!over) end('The task was taken away')
    })
    // where it failed, the lease is good for another two
    await within(Math.min(renewTime, Math.max(goodUntil - asked, lastTime)), renewal)
    if (!over && performance.now() >= goodUntil) end('The lease ran out: the database did not answer')
    if (!over) timer = next()
  }

  return async function stop() {
    over = true
    clearTimeout(timer)
    await turn
  }
}
