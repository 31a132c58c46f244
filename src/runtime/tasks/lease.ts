import type { Database } from '../database/database.ts'
import { within } from '../within.ts'
import { type ClaimedRow, leaseTime, renew } from './ledger.ts'

const renewTime = leaseTime / 3

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
    return setTimeout(() => {
      turn = renewOnce()
    }, renewTime)
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
    await within(renewTime, renewal) // where it failed, the lease is good for another two
    if (!over && performance.now() > goodUntil) end('The lease ran out: the database did not answer')
    if (!over) timer = next()
  }

  return async function stop() {
    over = true
    clearTimeout(timer)
    await turn
  }
}
