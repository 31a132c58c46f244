/** A kind of failure. Callers identify it by its `code`. */
export interface ProblemDefinition<Code extends string = string> {
  readonly code: Code
  readonly status: number
  /** A short summary of the kind. It is the same for every occurrence. */
  readonly title: string
}

/** One wrong value in the request: a JSON pointer into the body, or the name of a parameter. */
export interface ProblemError {
  readonly detail: string
  readonly in: 'body' | 'query' | 'path' | 'header' | 'cookie'
  /** A JSON pointer (RFC 6901) as a URI fragment, such as `#/quantity`. For a parameter, its first step is the name. */
  readonly pointer: string
}

/** What one occurrence adds to its definition. */
export interface ProblemOptions {
  /** For the developer of the client: what is wrong, and what to do. */
  readonly detail?: string
  /** For the person in front of the client. */
  readonly userMessage?: string
  readonly errors?: readonly ProblemError[]
  /** Headers of the response by name. A list is for a header that is sent several times, such as `Set-Cookie`. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** Added to the code in the request's log entry. Give nothing that the caller has written. */
  readonly logged?: readonly string[]
  /** The cause is logged and reported, never sent. */
  readonly cause?: unknown
}

/**
 * How many frames the stack of a problem below 500 has: the line that threw it. Such a problem is the caller's mistake, and
 * nobody reads its stack. All ten frames would take a tenth of a refused request (decision 43).
 */
const refusalFrames = 1

/**
 * An error that the service sends as a problem response. Any code that a route calls may throw it.
 *
 * @example
 * const missing = new Problem(orderProblems.ORDER_NOT_FOUND, { detail: 'It was deleted in May.' })
 * missing.definition.status // → 404
 */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly definition: ProblemDefinition
  readonly options: ProblemOptions

  constructor(definition: ProblemDefinition, options: ProblemOptions = {}) {
    const { stackTraceLimit } = Error
    if (definition.status < 500) Error.stackTraceLimit = refusalFrames
    super(options.detail ?? definition.title, { cause: options.cause })
    Error.stackTraceLimit = stackTraceLimit
    this.definition = definition
    this.options = options
  }
}

/** Whether the service has shed load on purpose. Such a problem is neither logged nor reported as an error. */
export function isShed(problem: Problem | undefined): boolean {
  return problem?.definition.code === problems.OVERLOADED.code && problem.options.cause === undefined
}

/**
 * Defines the problems of a feature: `defineProblems({ ORDER_FULFILLED: { status: 409, title: '…' } })`.
 *
 * @returns the definitions by code. Throw one as `new Problem(…)`, and list it in the `problems` of the route
 * @throws {Error} for a status that is not 400 to 599, a code with other characters than letters, digits, `_` and `-`, and
 *   a missing title
 * @example
 * const orderProblems = defineProblems({
 *   ORDER_NOT_FOUND: { status: 404, title: 'There is no such order' },
 * })
 * orderProblems.ORDER_NOT_FOUND.code // → 'ORDER_NOT_FOUND'
 */
export function defineProblems<const Titles extends Record<string, { status: number; title: string }>>(
  titles: Titles,
): { readonly [Code in keyof Titles & string]: ProblemDefinition<Code> } {
  for (const [code, { status, title }] of Object.entries(titles)) {
    if (!Number.isInteger(status) || status < 400 || status > 599)
      throw new Error(`The problem ${code} has the status ${status}: it must be 400 to 599.`)
    if (!/^\p{L}[\p{L}\p{N}_-]*$/u.test(code))
      throw new Error(
        `The problem "${code}" has a code that no URN can hold: write one such as ORDER_NOT_FOUND.`,
      )
    if (!title) throw new Error(`The problem ${code} has no title: say in a few words what it is.`)
  }
  const definitions = Object.entries(titles).map(([code, kind]) => [code, { code, ...kind }])
  return Object.fromEntries(definitions)
}

/**
 * The runtime's own problems: a closed list. A route lists those that it throws itself.
 *
 * @example
 * const changed = new Problem(problems.PRECONDITION_FAILED, { detail: 'Read the order again, then decide.' })
 */
export const problems = defineProblems({
  MALFORMED_REQUEST: { status: 400, title: 'The request could not be read' },
  VALIDATION_FAILED: { status: 400, title: 'The request does not fit the contract' },
  HTTPS_REQUIRED: { status: 400, title: 'This service accepts https only' },
  TOKEN_MISSING: { status: 401, title: 'A token is required' },
  TOKEN_INVALID: { status: 401, title: 'The token is not valid' },
  TOKEN_EXPIRED: { status: 401, title: 'The token has expired' },
  API_KEY_MISSING: { status: 401, title: 'An API key is required' },
  API_KEY_INVALID: { status: 401, title: 'The API key is not valid' },
  SCOPE_MISSING: { status: 403, title: 'The caller lacks a scope' },
  INVOKER_REQUIRED: { status: 403, title: 'Only Cloud Tasks and Cloud Scheduler may call this' },
  CREDENTIAL_IN_CLEAR: { status: 403, title: 'A credential was sent over plain http' },
  CROSS_ORIGIN: { status: 403, title: 'The request comes from another origin' },
  NOT_FOUND: { status: 404, title: 'There is nothing here' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The method is not allowed here' },
  REQUEST_INCOMPLETE: { status: 408, title: 'The request did not arrive in time' },
  IDEMPOTENCY_KEY_IN_USE: { status: 409, title: 'A request with this idempotency key is still running' },
  RUNTIME_TASK_BUSY: { status: 409, title: 'The task is held by another attempt' },
  PRECONDITION_FAILED: { status: 412, title: 'The resource has changed' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The content type is not supported' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'The idempotency key belongs to another request' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The headers are too large' },
  CLIENT_CLOSED_REQUEST: { status: 499, title: 'The client closed the connection before the response' },
  INTERNAL: { status: 500, title: 'Something went wrong on our side' },
  NOT_READY: { status: 503, title: 'The service is not ready' },
  OVERLOADED: { status: 503, title: 'The service is busy' },
  DATABASE_UNAVAILABLE: { status: 503, title: 'The database does not respond' },
  IDENTITY_UNAVAILABLE: { status: 503, title: 'The identity provider does not respond' },
  DEADLINE_EXCEEDED: { status: 503, title: 'The request took too long' },
})
