import { defineProblems, type ProblemDefinition, problems } from '../kernel/problem.ts'

/**
 * One generic problem for each status. Errors of Hono's own middleware become one of these. A feature that throws one lists
 * it in the `problems` of its route.
 *
 * @see https://www.iana.org/assignments/http-status-codes
 * @example
 * const gone = new Problem(statusProblems.GONE, { detail: 'The order was deleted.' })
 */
export const statusProblems = defineProblems({
  UNAUTHORIZED: { status: 401, title: 'Credentials are required' },
  PAYMENT_REQUIRED: { status: 402, title: 'Payment is required' },
  FORBIDDEN: { status: 403, title: 'This is not allowed' },
  NOT_ACCEPTABLE: { status: 406, title: 'There is no representation that the client accepts' },
  CONFLICT: { status: 409, title: 'The request conflicts with the state of the resource' },
  GONE: { status: 410, title: 'The resource is gone' },
  LENGTH_REQUIRED: { status: 411, title: 'The length of the body must be stated' },
  URI_TOO_LONG: { status: 414, title: 'The URI is too long' },
  RANGE_NOT_SATISFIABLE: { status: 416, title: 'The range cannot be satisfied' },
  EXPECTATION_FAILED: { status: 417, title: 'The expectation cannot be met' },
  MISDIRECTED_REQUEST: { status: 421, title: 'The request was sent to the wrong server' },
  UNPROCESSABLE_CONTENT: { status: 422, title: 'The content cannot be processed' },
  LOCKED: { status: 423, title: 'The resource is locked' },
  FAILED_DEPENDENCY: { status: 424, title: 'What the request depends on failed' },
  TOO_EARLY: { status: 425, title: 'The request came too early' },
  UPGRADE_REQUIRED: { status: 426, title: 'Another protocol is required' },
  PRECONDITION_REQUIRED: { status: 428, title: 'The request must be conditional' },
  TOO_MANY_REQUESTS: { status: 429, title: 'There are too many requests' },
  UNAVAILABLE_FOR_LEGAL_REASONS: { status: 451, title: 'The resource is unavailable for legal reasons' },
  NOT_IMPLEMENTED: { status: 501, title: 'This is not implemented' },
  BAD_GATEWAY: { status: 502, title: 'A service behind this one failed' },
  UNAVAILABLE: { status: 503, title: 'The service is not available' },
  GATEWAY_TIMEOUT: { status: 504, title: 'A service behind this one took too long' },
  CLIENT_ERROR: { status: 400, title: 'The request was refused' },
  SERVER_ERROR: { status: 500, title: 'The service failed' },
})

const byStatus = new Map<number, ProblemDefinition>(
  [
    ...[
      problems.MALFORMED_REQUEST,
      problems.NOT_FOUND,
      problems.METHOD_NOT_ALLOWED,
      problems.REQUEST_INCOMPLETE,
    ],
    ...[problems.PRECONDITION_FAILED, problems.BODY_TOO_LARGE, problems.UNSUPPORTED_MEDIA_TYPE],
    ...[problems.HEADERS_TOO_LARGE, problems.INTERNAL],
    ...Object.values(statusProblems).filter(({ code }) => !code.endsWith('_ERROR')),
  ].map((definition) => [definition.status, definition]),
)

/** The generic problem of a status from 400 to 599. A status that is not listed gets CLIENT_ERROR or SERVER_ERROR. */
export function problemOfStatus(status: number): ProblemDefinition {
  const kind = status < 500 ? statusProblems.CLIENT_ERROR : statusProblems.SERVER_ERROR
  return byStatus.get(status) ?? { ...kind, status }
}
