import type { Context } from 'hono'
import type { BaseEnv } from './env.ts'
import { type Hold, processBytes, smallBytes } from './held-bytes.ts'
import { stateOf } from './request-state.ts'

/** For a request that has no connection (any more), whose end would give back what it holds. */
const unheld: Hold = { take() {}, give() {}, release() {} }

/**
 * What the request holds of the process's memory, until its response is closed: sent to the end, or cut. Take before you
 * make what is large: `hold(c).take(bytes)`.
 */
export function hold(c: Context<BaseEnv>): Hold {
  return stateOf(c).hold ?? begin(c)
}

function begin(c: Context<BaseEnv>): Hold {
  const { outgoing, incoming } = c.env ?? {}
  if (!outgoing || !incoming || outgoing.closed || incoming.socket.destroyed) return unheld
  const { socket } = incoming
  const held = processBytes.begin()
  stateOf(c).hold = held
  function release(): void {
    held.release()
    outgoing?.off('close', release)
    socket.off('close', release)
  }
  outgoing.once('close', release)
  socket.once('close', release) // a response that waits for an earlier one on its connection does not hear of its end
  return held
}

/** What is held for each byte of a response: the bytes on their way to the socket, and the texts that they were made of. */
const perByte = 3

/**
 * Holds a response whose body is at hand until the client has taken it. Small ones are not counted: they are nearly all,
 * and 80 of them are 5 MiB.
 *
 * @param length bytes
 * @throws {Problem} OVERLOADED
 */
export function holdResponse(c: Context<BaseEnv>, length: number): void {
  if (length > smallBytes) hold(c).take(length * perByte)
}

/** Gives back what was held of a response that another has replaced. */
export function giveResponse(c: Context<BaseEnv>, length: number): void {
  if (length > smallBytes) hold(c).give(length * perByte)
}
