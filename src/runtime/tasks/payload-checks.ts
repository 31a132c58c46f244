import { z } from 'zod'
import { adviceFor } from '../schemas/schema-advice.ts'
import { asyncPart, children } from '../schemas/walk.ts'

/** What to write instead, if the advice for a contract does not fit a payload. */
const mends: Readonly<Record<string, string>> = {
  custom: 'z.custom() and z.instanceof() do not say what JSON holds. Write the schema of what is stored',
  file: 'JSON has no files. Store the file elsewhere, and write the schema of its name',
  void: 'JSON has no void. Write z.object({})',
  promise: 'JSON has no promises. Write the schema of what it resolves to',
}

const notJson = new Set([
  ...['bigint', 'date', 'undefined', 'void', 'nan', 'symbol', 'map', 'set'],
  ...['custom', 'file', 'function', 'promise'],
])

/**
 * Finds a part of a payload, or of what else a task stores, that JSON cannot store, or a check that is asynchronous. Only the
 * input of `enqueue` is stored: a transformation may return anything.
 *
 * @param what names the value, for the message
 * @param ifAbsent what to write in place of a schema that takes undefined
 * @returns the path and what to write instead; `undefined` if the payload can be stored
 */
export function payloadProblem(
  schema: z.core.$ZodType,
  what = 'its payload',
  ifAbsent = 'Write z.object({})',
): string | undefined {
  const absent = becomesNull(schema) && { place: '', mend: `undefined is stored as null. ${ifAbsent}` }
  const { place, mend } = absent || (findUnstorable(schema, '', new Set()) ?? findAsync(schema) ?? {})
  return mend && `${what} cannot be stored (${place || 'the top level'}): ${mend}.`
}

interface Found {
  readonly place: string
  readonly mend: string
}

function findUnstorable(
  schema: z.core.$ZodType,
  place: string,
  seen: Set<z.core.$ZodType>,
): Found | undefined {
  if (seen.has(schema)) return undefined
  seen.add(schema)
  const def: z.core.$ZodTypeDef & { coerce?: boolean; values?: readonly unknown[] } = schema._zod.def
  const { type } = def
  if (notJson.has(type) && !def.coerce) return { place, mend: mends[type] ?? adviceFor(type) }
  if (type === 'literal')
    for (const value of def.values ?? [])
      if (notJson.has(typeof value)) return { place, mend: adviceFor(typeof value) }
  for (const [step, child] of storedSchemas(schema)) {
    const childPlace = type === 'tuple' ? `${place}[]` : place + (place && /^\w/.test(step) ? '.' : '') + step
    if (/^(array|tuple)$/.test(type) && becomesNull(child))
      return { place: childPlace, mend: 'JSON writes undefined in a list as null. Write .nullable()' }
    const found = findUnstorable(child, childPlace, seen)
    if (found) return found
  }
  return undefined
}

/** The schemas inside a schema whose values are stored: not the output of a transformation, and no refinements. */
function storedSchemas(schema: z.core.$ZodType) {
  if (schema instanceof z.core.$ZodPipe) return [['', schema._zod.def.in] as const]
  const checks: readonly unknown[] = schema._zod.def.checks ?? []
  return children(schema).filter(([, child]) => !checks.includes(child))
}

/** Whether a schema takes undefined, which JSON writes as null, but does not take null. */
function becomesNull(schema: z.core.$ZodType): boolean {
  try {
    return z.safeParse(schema, undefined).success && !z.safeParse(schema, null).success
  } catch {
    return false // a refinement threw, or is asynchronous
  }
}

function findAsync(schema: z.core.$ZodType): Found | undefined {
  const place = asyncPart(schema)
  const mend =
    'it is checked synchronously. Write the refinement without async. Checks that need I/O belong in run'
  return place === undefined ? undefined : { place, mend }
}
