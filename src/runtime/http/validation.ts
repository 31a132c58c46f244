import type { Context, ValidationTargets } from 'hono'
import { z } from 'zod'
import { Problem, type ProblemError, problems } from '../kernel/problem.ts'
import type { BaseEnv } from './env.ts'
import { knownPlace } from './known-place.ts'
import { pointerStep } from './text.ts'

/**
 * One thing that must hold before the handler runs: throws a `Problem` where it does not. A step that need not
 * wait returns nothing to wait for.
 */
export type Step = (c: Context<BaseEnv>) => Promise<void> | undefined

/** Where in a request a value stands, in the problem's words. */
export type Place = ProblemError['in']

/** What keeps the body of a problem below 64 KiB. */
const mostErrors = 50
const mostDetail = 300
const mostPointer = 800

/** The parts of a request as `c.req.valid()` names them (Hono's own names, and `text`), and as a problem does. */
const places = {
  json: 'body',
  form: 'body',
  text: 'body',
  query: 'query',
  param: 'path',
  header: 'header',
  cookie: 'cookie',
} as const satisfies Record<string, Place>

/** How a schema runs that stops at the first item that does not fit (see `stopEarly`). */
export interface FirstOnly extends z.core.ParseContextInternal {
  readonly firstOnly?: boolean
}

const listing: FirstOnly = { async: false }
const stopping: FirstOnly = { async: false, abortEarly: true, firstOnly: true }

/**
 * Fits a part of the request to its schema; the handler finds the outcome by `c.req.valid(part)`. A zod error
 * thrown anywhere else is a 500.
 *
 * @param firstOnly whether the check ends at the first error: what is large costs no more then when it is wrong
 * @throws {Problem} VALIDATION_FAILED with a JSON pointer for each place that is wrong
 */
export function validate(
  c: Context<BaseEnv>,
  part: keyof typeof places,
  schema: z.ZodType,
  value: unknown,
  firstOnly = false,
): undefined {
  const context = firstOnly ? stopping : listing
  const result = schema._zod.run({ value, issues: [] }, context)
  if (result instanceof Promise) throw new z.core.$ZodAsyncError()
  const { issues } = result
  if (issues.length > 0) {
    const place = places[part]
    const shown = issues
      .slice(0, mostErrors)
      .map((issue) => z.core.util.finalizeIssue(issue, context, z.core.config()))
    throw invalid(
      place,
      shown.flatMap((issue) => describe(issue, place)),
      shown.slice(0, 5).map(({ path }) => knownPlace(schema, path)),
      firstOnly ? ` It is large, so that the check ended at the first error.` : restOf(countOf(issues)),
    )
  }
  c.req.addValidatedData(part as keyof ValidationTargets, result.value as object)
}

function restOf(count: number): string {
  return count > mostErrors ? ` ${count - mostErrors} more errors are not listed.` : ''
}

function countOf(issues: readonly z.core.$ZodRawIssue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0)
}

/**
 * The problem of a part that does not fit. It lists 50 errors at most, and counts the rest.
 *
 * @param logged the places, for the log
 * @param rest what the detail says of the errors that are not listed
 */
export function invalid(
  place: Place,
  errors: readonly ProblemError[],
  logged?: string[],
  rest = restOf(errors.length),
): Problem {
  return new Problem(problems.VALIDATION_FAILED, {
    detail: `The ${place} does not fit the contract.${rest}`,
    errors: errors.slice(0, mostErrors).map(({ detail, pointer, ...error }) => {
      return { ...error, detail: cut(detail, mostDetail), pointer: cut(pointer, mostPointer) }
    }),
    ...(logged && { logged }),
  })
}

/** A text of this length at most: a key of the request's may be as long as its body. */
function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1).toWellFormed()}…` : text
}

function describe(issue: z.core.$ZodIssue, place: Place): ProblemError[] {
  const pointer = ['#', ...issue.path.map(pointerStep)].join('/')
  if (issue.code !== 'unrecognized_keys') return [{ detail: issue.message, in: place, pointer }]
  return issue.keys.slice(0, mostErrors).map((key) => {
    return { detail: 'is not known here', in: place, pointer: `${pointer}/${pointerStep(key)}` }
  })
}
