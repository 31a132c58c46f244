import { getOpenApiMetadata } from '@asteasolutions/zod-to-openapi'
import { z } from '@hono/zod-openapi'
import { refusePattern } from './pattern-checks.ts'
import { children, everySchema } from './walk.ts'

/** Kinds of schemas whose values JSON does not have. After a transformation, they only check the type of its result. */
const notJson = new Set(['bigint', 'date', 'file', 'map', 'set', 'custom', 'any', 'unknown'])

/** Keywords of JSON Schema that limit values. */
const limits = [
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength'],
  ...['minItems', 'maxItems', 'uniqueItems', 'minProperties', 'maxProperties', 'enum', 'const', 'required'],
]

type Refuse = (mend: string) => never

/**
 * Refuses schemas of requests that accept more, or less, than the contract can show. A schema with a type in `.openapi()` is
 * not checked: the contract shows that type. (What a refinement or a transformation refuses is not in the contract. Say it
 * in the description.)
 *
 * @param location where the schema is, for the message
 * @param isText whether its values are text: in a path, a query, a header or a cookie
 * @param passed schemas that need no check, with all inside them. It gets those that are checked
 * @throws {Error} naming the location, and what to write instead
 */
export function refuseInexact(
  location: string,
  schema: z.core.$ZodType,
  isText: boolean,
  passed: Set<z.core.$ZodType>,
  path = '',
): void {
  if (passed.has(schema)) return
  passed.add(schema)
  const said: Record<string, unknown> = getOpenApiMetadata(schema as z.ZodType)
  if ('type' in said) return
  const refuse: Refuse = (mend) => {
    throw new Error(`${location} ${path || 'the top level'}: ${mend}.`)
  }
  const def: z.core.$ZodTypeDef & { coerce?: boolean } = schema._zod.def
  if (def.coerce && (isText ? /^(number|boolean)$/ : /^(string|number|boolean)$/).test(def.type))
    refuse(coerced(def.type))
  if (def.type === 'catch')
    refuse('.catch() takes anything, which the contract cannot show. Write .default() or .optional()')
  if (schema instanceof z.core.$ZodRecord) refuseKeys(schema, refuse)
  if (schema instanceof z.core.$ZodPipe) refusePipe(schema, refuse)
  refuseChecks(schema, refuse)
  refuseLimits(schema, said, refuse)
  for (const [step, child] of inputSchemas(schema)) {
    const dot = path && step && step !== '[]' ? '.' : ''
    refuseInexact(location, child, isText, passed, `${path}${dot}${step}`)
  }
}

/**
 * Refuses regular expressions in responses that the contract cannot show.
 *
 * @param passed as for `refuseInexact`
 * @throws {Error} naming the location, and what to write instead
 */
export function refusePatterns(
  location: string,
  schema: z.core.$ZodType,
  passed: Set<z.core.$ZodType>,
): void {
  for (const [path, inner] of everySchema(schema, passed)) {
    const refuse: Refuse = (mend) => {
      throw new Error(`${location} ${path || 'the top level'}: ${mend}.`)
    }
    for (const { _zod } of checksOf(inner)) {
      const def: z.core.$ZodCheckDef & { format?: string; pattern?: unknown } = _zod.def
      if (!(def.pattern instanceof RegExp) || 'pattern' in getOpenApiMetadata(inner as z.ZodType)) continue
      refusePattern(def.pattern, def.format === 'regex', refuse)
    }
  }
}

/** The schemas of what a caller sends. The output of a pipe is left out. */
function inputSchemas(schema: z.core.$ZodType) {
  return schema instanceof z.core.$ZodPipe ? [['', schema._zod.def.in] as const] : children(schema)
}

function coerced(type: string): string {
  const plain = `Write z.${type}(): the text of a query or a form is read as JSON writes it`
  return `z.coerce.${type}() accepts values that the contract does not show, such as an empty text. ${plain}`
}

function refuseKeys(schema: z.core.$ZodRecord, refuse: Refuse): void {
  if (schema._zod.def.keyType._zod.def.type === 'number')
    refuse('keys in JSON are text. Write z.record(z.string().regex(/^\\d+$/), …)')
}

function refusePipe({ _zod: { def } }: z.core.$ZodPipe, refuse: Refuse): void {
  if (def.in instanceof z.core.$ZodTransform) {
    const mend = 'Write the schema of what is sent, and .transform() after it'
    refuse(`z.preprocess() takes what the contract cannot show. ${mend}, or add .openapi({ type: 'string' })`)
  }
  const { type, checks = [] } = def.out._zod.def
  if (type === 'transform' || (notJson.has(type) && checks.length === 0)) return
  if (type === 'boolean')
    refuse(
      "z.stringbool() takes words that the contract cannot show. Write z.boolean(), or z.enum(['yes', 'no'])",
    )
  const mend = "Check before it, or add .openapi({ type: 'string', pattern: '…' })"
  refuse(`a check after a transformation cannot be shown in the contract. ${mend}`)
}

function refuseChecks(schema: z.core.$ZodType, refuse: Refuse): void {
  let changed = false
  for (const { _zod } of checksOf(schema)) {
    const def: z.core.$ZodCheckDef & {
      format?: string
      pattern?: unknown
      value?: unknown
      position?: number
    } = _zod.def
    if (changed && def.check !== 'overwrite' && def.check !== 'custom') {
      const mend = 'Check first: z.string().regex(/\\S/u).max(100).trim()'
      refuse(`a check after .trim() or a similar change cannot be shown in the contract. ${mend}`)
    }
    changed ||= def.check === 'overwrite'
    if (def.format === 'cidrv6')
      refuse('z.cidrv6() takes more than its pattern. Write z.string().regex(z.regexes.cidrv6)')
    if (def.position !== undefined) refuse('.includes() with a position has no pattern. Write .regex()')
    if (def.pattern instanceof RegExp) refusePattern(def.pattern, def.format === 'regex', refuse)
    if (def.check === 'multiple_of') refuseSteps(schema, Number(def.value), refuse)
  }
}

/** The checks of a schema, in order. A format, such as z.email(), is its own first check. */
function checksOf(schema: z.core.$ZodType): z.core.$ZodCheck<never>[] {
  const own = schema instanceof z.core.$ZodStringFormat ? [schema] : []
  return [...own, ...(schema._zod.def.checks ?? [])]
}

/**
 * Refuses steps that validators check differently. zod tolerates the rounding of doubles, so that a large number is a
 * multiple of anything. For fractions, validators differ.
 */
function refuseSteps(schema: z.core.$ZodType, step: number, refuse: Refuse): void {
  const { minimum = -Infinity, maximum = Infinity } = z.toJSONSchema(schema) as Record<string, number>
  const largest = Math.max(Math.abs(minimum), Math.abs(maximum)) / Math.abs(step)
  if (Number.isInteger(step) && largest <= 1e14 && z.toJSONSchema(schema).type === 'integer') return
  const mend = 'Write z.int32().multipleOf(5), in a unit that is small enough, such as cents'
  refuse(`a step is exact only for whole numbers within bounds. ${mend}`)
}

function refuseLimits(schema: z.core.$ZodType, said: Record<string, unknown>, refuse: Refuse): void {
  const refined = schema._zod.def.checks?.some(({ _zod }) => _zod.def.check === 'custom')
  const limit = refined ? undefined : limits.find((word) => word in said)
  if (limit)
    refuse(
      `.openapi({ ${limit} }) shows a limit that is not checked. Use zod's own, such as .min() and .max()`,
    )
}
