import { getOpenApiMetadata } from '@asteasolutions/zod-to-openapi'
import { z } from '@hono/zod-openapi'
import { refusePattern } from './pattern-checks.ts'
import { children, everySchema } from './walk.ts'

/** What JSON has no value of: behind a transformation, its schema checks no more than what was made. */
const notJson = new Set(['bigint', 'date', 'file', 'map', 'set', 'custom', 'any', 'unknown'])

/** Words of JSON Schema that limit values. */
const limits = [
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength'],
  ...['minItems', 'maxItems', 'uniqueItems', 'minProperties', 'maxProperties', 'enum', 'const', 'required'],
]

type Refuse = (mend: string) => never

/**
 * Refuses schemas of requests that take more than the contract can show, or less. What says its type by `.openapi()` is
 * shown as it says. What a refinement or a transformation refuses is not in the contract: its description may say it.
 *
 * @param place where the schema stands, for the message
 * @param isText whether its values are text: of a path, a query, a header or a cookie
 * @throws {Error} naming the place, and what to write instead
 */
export function refuseInexact(
  location: string,
  schema: z.core.$ZodType,
  isText: boolean,
  path = '',
  seen = new Set<z.core.$ZodType>(),
): void {
  if (seen.has(schema)) return
  seen.add(schema)
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
    refuseInexact(location, child, isText, `${path}${dot}${step}`, seen)
  }
}

/**
 * Refuses regular expressions of a response that a contract cannot state.
 *
 * @throws {Error} naming the place, and what to write instead
 */
export function refusePatterns(location: string, schema: z.core.$ZodType): void {
  for (const [path, inner] of everySchema(schema)) {
    if ('pattern' in getOpenApiMetadata(inner as z.ZodType)) continue
    for (const { _zod } of checksOf(inner)) {
      const def: z.core.$ZodCheckDef & { format?: string; pattern?: unknown } = _zod.def
      const refuse: Refuse = (mend) => {
        throw new Error(`${location} ${path || 'the top level'}: ${mend}.`)
      }
      if (def.pattern instanceof RegExp) refusePattern(def.pattern, def.format === 'regex', refuse)
    }
  }
}

/** What is behind a transformation is no part of what a caller sends. */
function inputSchemas(schema: z.core.$ZodType) {
  return schema instanceof z.core.$ZodPipe ? [['', schema._zod.def.in] as const] : children(schema)
}

function coerced(type: string): string {
  const plain = `Write z.${type}(): the text of a query or a form is read as JSON writes it`
  return `z.coerce.${type}() takes other values than the contract shows, such as an empty text. ${plain}`
}

function refuseKeys(schema: z.core.$ZodRecord, refuse: Refuse): void {
  if (schema._zod.def.keyType._zod.def.type === 'number')
    refuse('the keys of JSON are text. Write z.record(z.string().regex(/^\\d+$/), …)')
}

function refusePipe({ _zod: { def } }: z.core.$ZodPipe, refuse: Refuse): void {
  if (def.in instanceof z.core.$ZodTransform) {
    const mend = 'Write the schema of what is sent, and .transform() behind it'
    refuse(`z.preprocess() takes what the contract cannot show. ${mend}, or add .openapi({ type: 'string' })`)
  }
  const { type, checks = [] } = def.out._zod.def
  if (type === 'transform' || (notJson.has(type) && checks.length === 0)) return
  if (type === 'boolean')
    refuse(
      "z.stringbool() takes words that the contract cannot show. Write z.boolean(), or z.enum(['yes', 'no'])",
    )
  const mend = "Check before it, or add .openapi({ type: 'string', pattern: '…' })"
  refuse(`what stands behind a transformation is checked, which the contract cannot show. ${mend}`)
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
      refuse(
        `.trim() and its like change the text before it is checked, which the contract cannot show. ${mend}`,
      )
    }
    changed ||= def.check === 'overwrite'
    if (def.format === 'cidrv6')
      refuse('z.cidrv6() takes more than its pattern. Write z.string().regex(z.regexes.cidrv6)')
    if (def.position !== undefined) refuse('.includes() with a position has no pattern. Write .regex()')
    if (def.pattern instanceof RegExp) refusePattern(def.pattern, def.format === 'regex', refuse)
    if (def.check === 'multiple_of') refuseSteps(schema, Number(def.value), refuse)
  }
}

/** A schema's checks in their order: a format, such as z.email(), is its own first. */
function checksOf(schema: z.core.$ZodType): z.core.$ZodCheck<never>[] {
  const own = schema instanceof z.core.$ZodStringFormat ? [schema] : []
  return [...own, ...(schema._zod.def.checks ?? [])]
}

/**
 * zod allows for the rounding of doubles, so that a large number is a multiple of anything, and validators differ
 * where a step is a fraction.
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
    refuse(`.openapi({ ${limit} }) shows what is not checked. Say it to zod, such as .min() and .max()`)
}
