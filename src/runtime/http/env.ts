import type { HttpBindings } from '@hono/node-server'
import type { Log } from '../log/logger.ts'
import type { Problem } from './problem.ts'

/** What every handler finds in `c.var`, and Node's own request in `c.env` where there is one. */
export interface BaseEnv {
  Bindings: Partial<HttpBindings>
  Variables: {
    requestId: string
    /** A logger whose lines carry the request's trace and id. */
    log: Log
    /** Aborts when the client leaves, or when the deadline passes. */
    signal: AbortSignal
    /** The headers that every answer carries. */
    answerHeaders: Record<string, string>
    /** Whether a route, or the runtime itself, makes the response. */
    routed?: true
    /** The problem that was answered last. */
    problem?: Problem
    /** The answer that `write` made last, with its length in bytes. */
    written?: { readonly response: Response; readonly length: number }
  }
}
