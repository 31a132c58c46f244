import type { Context } from 'hono'
import type { BaseEnv } from './env.ts'
import { type Hold, processBytes } from './held-bytes.ts'

/** For a request that has no connection (any more), whose end would give back what it holds. */
const unheld: Hold = { take() {}, give() {}, release() {} }

/**
 * What the request holds of the process's memory, until its response is closed: sent to the end, or cut. Take before you
 * make what is large: `hold(c).take(bytes)`.
 */
export function hold(c: Context<BaseEnv>): Hold {
  return c.get('hold') ?? begin(c)
}

function begin(c: Context<BaseEnv>): Hold {
  const { outgoing, incoming } = c.env ?? {}
  if (!outgoing || !incoming || outgoing.closed || incoming.socket.destroyed) return unheld
  const { socket } = incoming
  const held = processBytes.begin()
  c.set('hold', held)
  function release(): void {
    held.release()
    outgoing?.off('close', release)
    socket.off('close', release)
  }
  outgoing.once('close', release)
  socket.once('close', release) // a response that waits for an earlier one on its connection does not hear of its end
  return held
}

/**
 * Bytes of the heap that a text of JSON becomes, with the copy that zod makes of its objects and arrays: measured on
 * Node 24 for the costliest of each.
 *
 * @param count.containers objects and arrays
 * @param count.keys of all objects
 * @param count.commas between values
 */
export function bytesOfJson(count: { containers: number; keys: number; commas: number }): number {
  return 112 * count.containers + 136 * count.keys + 16 * count.commas
}
