import type { Context } from 'hono'
import { currentRequest } from '../kernel/context.ts'
import { isShed, Problem, problems } from '../kernel/problem.ts'
import type { Log } from '../log/logger.ts'
import { isClientDisconnected } from './client-disconnect.ts'
import type { BaseEnv } from './env.ts'
import type { ProblemFormat } from './problem-format.ts'
import { stateOf } from './request-state.ts'
import { writeResponse } from './response.ts'
import { markRouted } from './routed.ts'
import { toProblem } from './to-problem.ts'

/** Headers that apply to any response. All others describe the response that is not sent. */
const keptHeaders = /^(access-control-|vary$)/

/** Turns anything that was thrown into a response. */
export type ProblemResponder = (thrown: unknown, c: Context<BaseEnv>) => Response

/**
 * Creates the one function that turns failures into responses. It logs unexpected errors with their stack. The caller
 * gets the code and the trace id, but not the cause.
 *
 * @param format how the service writes the bodies of problems
 * @example
 * app.onError(problemResponder(problemDetails, log))
 */
export function problemResponder(format: ProblemFormat, log: Log): ProblemResponder {
  const bare = { detail: undefined, userMessage: undefined, errors: undefined, instance: '/', traceId: '' }
  format.format({ ...problems.INTERNAL, ...bare }) // a format that throws fails at the start

  return function respondWithProblem(thrown, c) {
    markRouted(c)
    const gone = isClientDisconnected(c)
    const problem = gone ? new Problem(problems.CLIENT_CLOSED_REQUEST) : toProblem(thrown)
    stateOf(c).problem = problem
    const { definition, options } = problem
    const kept = headersToKeep(c)
    c.res = undefined // otherwise Hono copies the headers of an earlier response
    if (!gone && definition.status >= 500 && !isShed(problem)) {
      log.error({ err: options.cause ?? problem, code: definition.code }, definition.title)
    }
    const request = currentRequest()
    const body = format.format({
      ...definition,
      detail: options.detail,
      userMessage: options.userMessage,
      errors: options.errors,
      instance: request?.path ?? c.req.path,
      traceId: request?.trace.traceId ?? '',
    })
    const headers = { ...kept, ...options.headers, 'Cache-Control': 'no-store' }
    return writeResponse(c, definition.status, format.contentType, JSON.stringify(body), headers)
  }
}

function headersToKeep(c: Context<BaseEnv>): Record<string, string> {
  try {
    return Object.fromEntries([...c.res.headers].filter(([name]) => keptHeaders.test(name)))
  } catch {
    return {} // the headers of the failed response cannot be read
  }
}
