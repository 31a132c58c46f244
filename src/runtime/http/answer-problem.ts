import type { Context } from 'hono'
import { currentRequest } from '../log/context.ts'
import type { Log } from '../log/logger.ts'
import { write } from './answer-headers.ts'
import { clientLeft } from './client-left.ts'
import type { BaseEnv } from './env.ts'
import { Problem, problems } from './problem.ts'
import type { ProblemFormat } from './problem-format.ts'
import { toProblem } from './to-problem.ts'

/** Headers that speak of an answer's own body or resource. */
const ofTheBody = ['Content-Encoding', 'Content-Length', 'Content-Type', 'ETag', 'Last-Modified', 'Location']

/** Writes the answer to whatever was thrown. */
export type ProblemAnswer = (thrown: unknown, c: Context<BaseEnv>) => Response

/**
 * The one place where failures become answers. Unexpected errors are logged here with their stack; the
 * caller learns the code, the trace id, and nothing of the cause.
 *
 * @param format the body that the service writes
 */
export function problemAnswer(format: ProblemFormat, log: Log): ProblemAnswer {
  return function answerProblem(thrown, c) {
    const gone = clientLeft(c)
    const problem = gone ? new Problem(problems.CLIENT_CLOSED_REQUEST) : toProblem(thrown)
    const { definition, options } = problem
    // Hono lays the headers of an answer that was ready before over the next one
    if (c.finalized) for (const name of ofTheBody) c.res.headers.delete(name)
    if (!gone && definition.status >= 500) {
      log.error({ err: options.cause ?? problem, code: definition.code }, definition.title)
    }
    const body = format.format({
      ...definition,
      detail: options.detail,
      userMessage: options.userMessage,
      errors: options.errors,
      instance: c.req.path,
      traceId: currentRequest()?.trace.traceId ?? '',
    })
    const headers = { ...options.headers, 'Cache-Control': 'no-store' }
    return write(c, definition.status, format.contentType, JSON.stringify(body), headers)
  }
}
