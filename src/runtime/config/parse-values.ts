import { z } from 'zod'
import { runtimeVariables } from './variables.ts'

/** Zod schemas of environment variables by name. With `.meta({ shown: true })`, the log shows the value at the start. */
export type Variables = Record<string, z.ZodType>

/**
 * The runtime's variables and those of the features, by name.
 *
 * @throws {Error} naming a variable that is defined twice, or whose schema cannot read text
 */
export function allVariables(features: readonly Variables[]): Variables {
  const all: Variables = { ...runtimeVariables }
  for (const variables of new Set(features)) {
    for (const [name, schema] of Object.entries(variables)) {
      if (name in all && all[name] !== schema)
        throw new Error(`The variable ${name} is defined twice: rename one.`)
      if (isCoercedBoolean(schema))
        throw new Error(`The variable ${name} takes any text as true, even "false": write flag().`)
      all[name] = schema
    }
  }
  return all
}

/**
 * Parses all variables at once.
 *
 * @throws {Error} naming one whose schema is asynchronous
 */
export function parseValues(set: Record<string, string>, variables: Variables) {
  try {
    return z.object(variables).safeParse(set, { jitless: true })
  } catch (error) {
    if (!(error instanceof z.core.$ZodAsyncError)) throw error
    const name = Object.keys(variables).find((name) => isAsync(variables[name], set[name]))
    throw new Error(`The variable ${name} is checked asynchronously: write its refinement without async.`)
  }
}

function isAsync(schema: z.ZodType | undefined, value: string | undefined): boolean {
  try {
    schema?.safeParse(value)
    return false
  } catch (error) {
    return error instanceof z.core.$ZodAsyncError
  }
}

function isCoercedBoolean(schema: z.core.$ZodType): boolean {
  const def: z.core.$ZodTypeDef & { coerce?: boolean; innerType?: z.core.$ZodType } = schema._zod.def
  return def.innerType ? isCoercedBoolean(def.innerType) : def.type === 'boolean' && def.coerce === true
}

/** What is wrong with a variable, for the person who sets it. */
export function explain(issue: z.core.$ZodIssue, set: Record<string, string>): string {
  const missing = !(String(issue.path[0]) in set) && issue.code !== 'custom'
  if (missing) return 'is required but not set'
  const textless =
    issue.code === 'invalid_type' && issue.path.length === 1 && / received string$/.test(issue.message)
  return textless ? `${issue.message}. Its schema takes no text: ${textReaders}` : issue.message
}

const textReaders = 'write integer(), flag(), seconds(), list() or z.coerce.number()'
