import type { HttpBindings } from '@hono/node-server'
import type { Log } from '../log/logger.ts'
import type { Hold } from './held-bytes.ts'
import type { Problem } from './problem.ts'
import type { StreamedResponse } from './settle.ts'

/** What every handler finds in `c.var`, and Node's own request in `c.env` where there is one. */
export interface BaseEnv {
  Bindings: Partial<HttpBindings>
  Variables: {
    requestId: string
    /** A logger whose lines carry the request's trace and id. */
    log: Log
    /** Aborts when the client leaves, when the deadline passes, and where a stream is sent when the process stops. */
    signal: AbortSignal
    /** The headers that every answer carries. */
    answerHeaders: Record<string, string>
    /** Whether anyone has called `c.header()`. */
    headersSet?: true
    /** Whether a route, or the runtime itself, makes the response. */
    routed?: true
    /** What the request holds of the process's memory, once it holds any: see `hold`. */
    hold?: Hold
    /** The problem that was answered last. */
    problem?: Problem
    /** The response whose body is at hand, with its length in bytes. */
    written?: { readonly response: Response; readonly length: number }
    /** The response whose body is still being made. */
    stream?: StreamedResponse
  }
}
