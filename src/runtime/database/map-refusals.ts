import { findDatabaseError } from '../kernel/database-error.ts'
import { Problem, type ProblemDefinition } from '../kernel/problem.ts'

/** The problem that a refusal becomes: a definition, or a function that creates the problem with a detail of its own. */
export type ProblemSource = ProblemDefinition | (() => Problem)

/** Which problems PostgreSQL's refusals become. A refusal that is not listed stays a 500, with the constraint in the log. */
export interface ProblemsByRefusal {
  /** Problems by the name of the constraint or the unique index: unique, foreign key, check, exclusion. */
  readonly constraints?: Readonly<Record<string, ProblemSource>>
  /** The problem of a value that its column cannot hold: out of range, too long, no date, no UUID, NULL. */
  readonly values?: ProblemSource
}

/** @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
const valueCodes = new Set([
  '22001', // string_data_right_truncation: too long
  '22003', // numeric_value_out_of_range
  '22007', // invalid_datetime_format
  '22008', // datetime_field_overflow
  '22021', // character_not_in_repertoire: NUL in a text
  '22P02', // invalid_text_representation: no UUID, no number, no value of an enum
  '22P05', // untranslatable_character: NUL in a jsonb
  '23502', // not_null_violation
  '54000', // program_limit_exceeded: too long for an index
])

/**
 * Turns PostgreSQL's refusals of what the caller sent into problems. After a refusal, the transaction cannot continue:
 * let the problem leave it.
 *
 * @param work a query; or a whole `database.transaction`, if its constraints are deferred
 * @returns the result of `work`
 * @throws {Problem} the problem of the refusal; any other error is thrown as it is
 * @example
 * await mapRefusals(tx.insert(orders).values({ item: 'Teapot', dueAt: now }), {
 *   constraints: { orders_item_key: orderProblems.ORDER_TAKEN },
 *   values: problems.VALIDATION_FAILED,
 * })
 */
export async function mapRefusals<Result>(
  work: PromiseLike<Result>,
  meanings: ProblemsByRefusal,
): Promise<Result> {
  try {
    return await work
  } catch (error) {
    const meaning = meaningOf(error, meanings)
    if (!meaning) throw error
    throw typeof meaning === 'function' ? meaning() : new Problem(meaning)
  }
}

function meaningOf(
  error: unknown,
  { constraints = {}, values }: ProblemsByRefusal,
): ProblemSource | undefined {
  const { code = '', constraint = '' } = findDatabaseError(error) ?? {}
  if (valueCodes.has(code)) return values
  return code.startsWith('23') && Object.hasOwn(constraints, constraint) ? constraints[constraint] : undefined
}
