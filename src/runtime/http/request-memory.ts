import type { Context } from 'hono'
import type { BaseEnv } from './env.ts'
import { type MemoryReservation, processMemory, smallBytes } from './memory-budget.ts'
import { stateOf } from './request-state.ts'

/** Counts nothing. It is for a request without a connection, as in tests: nothing would give its memory back. */
const unlimited: MemoryReservation = { reserve() {}, giveBack() {}, release() {} }

/**
 * The request's reservation of memory. It ends when the response is closed: sent completely, or cut. A handler that builds
 * a lot of data from a small request should reserve the memory first. Then requests are refused in time (503), before the
 * process is killed for its memory.
 *
 * @example
 * requestMemory(c).reserve(20_000_000) // bytes; throws OVERLOADED (503) if other requests hold too much
 */
export function requestMemory(c: Context<BaseEnv>): MemoryReservation {
  return stateOf(c).memory ?? open(c)
}

function open(c: Context<BaseEnv>): MemoryReservation {
  const { outgoing, incoming } = c.env ?? {}
  if (!outgoing || !incoming || outgoing.closed || incoming.socket.destroyed) return unlimited
  const { socket } = incoming
  const held = processMemory.open()
  stateOf(c).memory = held
  function release(): void {
    held.release()
    outgoing?.off('close', release)
    socket.off('close', release)
  }
  outgoing.once('close', release)
  socket.once('close', release) // a response that is queued behind another one on its connection emits no 'close'
  return held
}

/** What each byte of a response takes: the bytes on their way to the socket, and the texts that they are made of. */
const memoryPerByte = 3

/**
 * Reserves the memory of a response until the client has read it. Small responses are not counted: 80 of them are 5 MiB.
 *
 * @param length in bytes
 * @throws {Problem} OVERLOADED
 */
export function reserveResponse(c: Context<BaseEnv>, length: number): void {
  if (length > smallBytes) requestMemory(c).reserve(length * memoryPerByte)
}

/** Gives back the memory of a response that another one has replaced. */
export function releaseResponse(c: Context<BaseEnv>, length: number): void {
  if (length > smallBytes) requestMemory(c).giveBack(length * memoryPerByte)
}
