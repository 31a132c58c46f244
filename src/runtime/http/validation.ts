import type { Context, ValidationTargets } from 'hono'
import { z } from 'zod'
import { Problem, type ProblemError, problems } from '../kernel/problem.ts'
import type { BaseEnv } from './env.ts'
import { jsonPointer } from './json-pointer.ts'
import { safePointer } from './safe-pointer.ts'

/**
 * A check that runs before the handler. It throws a `Problem` if the request fails it. A synchronous step returns
 * `undefined`.
 */
export type Step = (c: Context<BaseEnv>) => Promise<void> | undefined

/** The part of a request that a value is in, as a problem names it. */
export type RequestPart = ProblemError['in']

/** These limits keep the body of a problem below 64 KiB. */
const maxErrors = 50
const maxDetailLength = 300
const maxPointerLength = 800

/** The parts of a request, by the names of `c.req.valid()`: Hono's names and `text`. The values are a problem's names. */
const parts = {
  json: 'body',
  form: 'body',
  text: 'body',
  query: 'query',
  param: 'path',
  header: 'header',
  cookie: 'cookie',
} as const satisfies Record<string, RequestPart>

/** The context of a schema that stops at the first item that does not fit (see `stopEarly`). */
export interface FirstOnly extends z.core.ParseContextInternal {
  readonly firstOnly?: boolean
}

const listing: FirstOnly = { async: false }
const stopping: FirstOnly = { async: false, abortEarly: true, firstOnly: true }

/**
 * Validates a part of the request. The handler gets the result by `c.req.valid(part)`. (A zod error that is thrown
 * elsewhere is a 500.)
 *
 * @param firstOnly whether the check ends at the first error, so that a large wrong value does not cost more than a right one
 * @throws {Problem} VALIDATION_FAILED, with a JSON pointer to each wrong value
 */
export function validate(
  c: Context<BaseEnv>,
  part: keyof typeof parts,
  schema: z.ZodType,
  value: unknown,
  firstOnly = false,
): undefined {
  const context = firstOnly ? stopping : listing
  const result = schema._zod.run({ value, issues: [] }, context)
  if (result instanceof Promise) throw new z.core.$ZodAsyncError()
  const { issues } = result
  if (issues.length > 0) {
    const requestPart = parts[part]
    const shown = issues
      .slice(0, maxErrors)
      .map((issue) => z.core.util.finalizeIssue(issue, context, z.core.config()))
    throw validationFailed(
      requestPart,
      shown.flatMap((issue) => describe(issue, requestPart)),
      shown.slice(0, 5).map(({ path }) => safePointer(schema, path)),
      firstOnly ? ' It is large, so the check ended at the first error.' : restOf(countOf(issues)),
    )
  }
  c.req.addValidatedData(part as keyof ValidationTargets, result.value as object)
}

function restOf(count: number): string {
  return count > maxErrors ? ` ${count - maxErrors} more errors are not listed.` : ''
}

function countOf(issues: readonly z.core.$ZodRawIssue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0)
}

/**
 * The problem of a part that does not fit the contract. It lists at most 50 errors, and counts the rest.
 *
 * @param logged pointers that are safe to log
 * @param rest what the detail says about the errors that are not listed
 */
export function validationFailed(
  part: RequestPart,
  errors: readonly ProblemError[],
  logged?: string[],
  rest = restOf(errors.length),
): Problem {
  return new Problem(problems.VALIDATION_FAILED, {
    detail: `The ${part} does not fit the contract.${rest}`,
    errors: errors.slice(0, maxErrors).map(({ detail, pointer, ...error }) => {
      return { ...error, detail: cut(detail, maxDetailLength), pointer: cut(pointer, maxPointerLength) }
    }),
    ...(logged && { logged }),
  })
}

/** The problem of one wrong value in the request. */
export function invalidAt(part: RequestPart, path: readonly PropertyKey[], detail: string): Problem {
  return new Problem(problems.VALIDATION_FAILED, {
    detail: `The ${part} ${detail}.`,
    errors: [{ detail, in: part, pointer: jsonPointer(path) }],
  })
}

/** Shortens a text to this length: a key in the request may be as long as its body. */
function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1).toWellFormed()}…` : text
}

function describe(issue: z.core.$ZodIssue, part: RequestPart): ProblemError[] {
  const { path } = issue
  if (issue.code !== 'unrecognized_keys')
    return [{ detail: issue.message, in: part, pointer: jsonPointer(path) }]
  return issue.keys.slice(0, maxErrors).map((key) => {
    return { detail: 'is unknown', in: part, pointer: jsonPointer([...path, key]) }
  })
}
