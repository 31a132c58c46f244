import type { Database } from '../database/database.ts'
import { within } from '../kernel/within.ts'
import { type ClaimedRow, leaseTime, renew } from './ledger.ts'

const renewTime = leaseTime / 3
/**
 * How long a renewal may take even if the lease has expired: a process that had no CPU for a while may still renew it.
 */
const lastTime = 1_000

/** Another process has taken the task. The attempt may write nothing. */
export class LeaseLost extends Error {}

/**
 * Renews the lease of a claimed task while its request works on it, three times as often as necessary.
 *
 * @param lost is called when another process has the lease, or when the lease has expired and the database did not respond
 * @returns a function that stops the renewals. It resolves when no renewal is running any more
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
      else if (!over) end('Another process has taken the task')
    })
    // after a failure, the lease is still valid for two more renewals
    await within(Math.min(renewTime, Math.max(goodUntil - asked, lastTime)), renewal)
    if (!over && performance.now() >= goodUntil) end('The lease expired: the database did not respond')
    if (!over) timer = next()
  }

  return async function stop() {
    over = true
    clearTimeout(timer)
    await turn
  }
}
