import { HTTPException } from 'hono/http-exception'
import { databaseProblem } from '../database/errors.ts'
import { causes } from '../kernel/causes.ts'
import { Problem, problems } from '../kernel/problem.ts'
import { problemOfStatus } from './status-problems.ts'

/** Headers that describe the body of the exception's own response, which is not sent. */
const ofTheBody = /^(content-.*|transfer-encoding|connection|keep-alive)$/

/**
 * Turns anything that was thrown into a problem. An exception of Hono keeps its status and the headers of its response, such
 * as `WWW-Authenticate`. An unknown error becomes INTERNAL, which tells the caller nothing. The error is its cause, for the
 * log.
 */
export function toProblem(error: unknown): Problem {
  const stated = causes(error).find((cause) => cause instanceof Problem)
  if (stated) return stated
  if (error instanceof HTTPException && error.status >= 400 && error.status <= 599) return ofHono(error)
  return databaseProblem(error) ?? new Problem(problems.INTERNAL, { cause: error })
}

function ofHono(error: HTTPException): Problem {
  const { status, res, message } = error
  const definition = problemOfStatus(status)
  const sent = [...(res?.headers ?? [])].filter(([name]) => !ofTheBody.test(name))
  const cookies = res?.headers.getSetCookie() ?? []
  const headers = { ...Object.fromEntries(sent), ...(cookies.length > 0 && { 'set-cookie': cookies }) }
  void res?.body?.cancel().catch(() => {})
  const detail = status < 500 ? { detail: message || definition.title } : {}
  return new Problem(definition, { ...detail, headers, cause: error })
}
