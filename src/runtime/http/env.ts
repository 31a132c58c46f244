import type { HttpBindings } from '@hono/node-server'
import type { AnyCaller } from '../auth/api-key.ts'
import type { Log } from '../log/logger.ts'

/** What every handler finds in `c.var`, and Node's own request in `c.env`, if there is one. */
export interface BaseEnv {
  Bindings: Partial<HttpBindings>
  Variables: {
    /** The request's `X-Request-Id`, if it has only letters, digits, `_`, `=` and `-` (255 at most); otherwise a new id. */
    requestId: string
    /** A logger whose lines carry the request's trace and id. */
    log: Log
    /** Aborts when the client disconnects, at the deadline, and, while a stream is sent, when the process stops. */
    signal: AbortSignal
  }
}

/** `BaseEnv` with the caller. There is none on a public route, without a credential, and before the caller is known. */
export interface CallerEnv extends BaseEnv {
  Variables: BaseEnv['Variables'] & { readonly caller?: AnyCaller | undefined }
}
