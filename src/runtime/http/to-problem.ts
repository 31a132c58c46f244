import { HTTPException } from 'hono/http-exception'
import { databaseProblem } from '../database/errors.ts'
import { causes } from '../log/error-fields.ts'
import { Problem, type ProblemDefinition, problems } from './problem.ts'

/** What Hono and its middleware throw, by status. */
const byStatus: Record<number, ProblemDefinition> = {
  400: problems.MALFORMED_REQUEST,
  404: problems.NOT_FOUND,
  413: problems.BODY_TOO_LARGE,
  415: problems.UNSUPPORTED_MEDIA_TYPE,
}

/**
 * The problem that answers whatever was thrown. Unknown errors become INTERNAL, which tells the caller
 * nothing; they stay its cause, for the log.
 */
export function toProblem(error: unknown): Problem {
  const stated = causes(error).find((cause) => cause instanceof Problem)
  if (stated) return stated
  if (error instanceof HTTPException) {
    const definition =
      byStatus[error.status] ?? (error.status < 500 ? problems.MALFORMED_REQUEST : problems.INTERNAL)
    const detail = definition === problems.INTERNAL ? {} : { detail: error.message || definition.title }
    return new Problem(definition, { ...detail, cause: error })
  }
  return databaseProblem(error) ?? new Problem(problems.INTERNAL, { cause: error })
}
