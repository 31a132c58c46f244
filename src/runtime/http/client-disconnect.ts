import type { Context } from 'hono'
import type { BaseEnv } from './env.ts'

/** The reason of a signal that aborted because the client has disconnected. */
export class ClientDisconnectedError extends Error {}

/** Whether the client closed the connection before the response was sent. */
export function isClientDisconnected({ env, req }: Context<BaseEnv>): boolean {
  // under Node, read the socket: `req.raw.signal` would first have to be created
  return env?.outgoing ? env.outgoing.destroyed && !env.outgoing.writableFinished : req.raw.signal.aborted
}

/**
 * Calls `leave` when the client closes the connection before the response was sent.
 *
 * @returns a function that removes the listener
 */
export function onClientDisconnect(c: Context<BaseEnv>, leave: () => void): () => void {
  const { outgoing } = c.env ?? {}
  if (outgoing) {
    const close = () => isClientDisconnected(c) && leave()
    outgoing.once('close', close)
    return () => void outgoing.off('close', close)
  }
  c.req.raw.signal.addEventListener('abort', leave, { once: true })
  return () => c.req.raw.signal.removeEventListener('abort', leave)
}
