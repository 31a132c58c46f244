/** The body of a problem that another service has sent (RFC 9457). It was not checked: any field may be absent. */
export interface ReceivedProblem {
  readonly type?: string
  readonly title?: string
  readonly status?: number
  readonly detail?: string
  readonly instance?: string
  /** A service of this template states the kind of problem here. */
  readonly code?: string
  readonly traceId?: string
  readonly [extension: string]: unknown
}

/**
 * The error of a call that did not succeed: another service responded with an error or a redirect, or not at all.
 *
 * @example
 * async function isInStock(item: string): Promise<boolean> {
 *   try {
 *     await call(`https://warehouse.example.com/stock/${encodeURIComponent(item)}`)
 *     return true
 *   } catch (error) {
 *     if (error instanceof CallError && error.problem?.code === 'ITEM_UNKNOWN') return false
 *     throw error
 *   }
 * }
 */
export class CallError extends Error {
  override readonly name = 'CallError'
  /** The status of the response; absent if there was none. */
  readonly status: number | undefined
  /** The response's headers; absent if there was none. */
  readonly headers: Headers | undefined
  /** The problem in the response; absent if its body is none. */
  readonly problem: ReceivedProblem | undefined
  /** How long the other service asks to wait, in milliseconds: its `Retry-After`. */
  readonly retryAfterMs: number | undefined

  constructor(
    message: string,
    details: {
      status?: number
      headers?: Headers
      problem?: ReceivedProblem | undefined
      retryAfterMs?: number | undefined
      cause?: unknown
    } = {},
  ) {
    super(message, { cause: details.cause })
    this.status = details.status
    this.headers = details.headers
    this.problem = details.problem
    this.retryAfterMs = details.retryAfterMs
  }
}
