import type { Context } from 'hono'
import type { BaseEnv } from './env.ts'

/** Why a signal aborted: nobody is there any more to take the response. */
export class ClientLeft extends Error {}

/** Whether the client closed the connection before its answer. */
export function clientLeft({ env, req }: Context<BaseEnv>): boolean {
  // Under Node the socket knows; a Request's own signal would be made only to ask it
  return env?.outgoing ? env.outgoing.destroyed && !env.outgoing.writableFinished : req.raw.signal.aborted
}

/**
 * Calls `leave` when the client closes the connection before its answer.
 *
 * @returns what takes the listener off again
 */
export function onClientLeft(c: Context<BaseEnv>, leave: () => void): () => void {
  const { outgoing } = c.env ?? {}
  if (outgoing) {
    const close = () => clientLeft(c) && leave()
    outgoing.once('close', close)
    return () => void outgoing.off('close', close)
  }
  c.req.raw.signal.addEventListener('abort', leave, { once: true })
  return () => c.req.raw.signal.removeEventListener('abort', leave)
}
