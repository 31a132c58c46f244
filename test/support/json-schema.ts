type Json = Record<string, unknown>

const list = (part: unknown) => (Array.isArray(part) ? (part as Json[]) : [])
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

/** Judges a value by what a JSON schema (2020-12) says: the keywords that contracts use, and none of zod. */
export function fits(schema: Json | boolean | undefined, value: unknown): boolean {
  if (schema === undefined || typeof schema === 'boolean') return schema !== false
  const { type, enum: options, anyOf, oneOf, allOf } = schema
  const right = (name: unknown) => name === typeOf(value) || (name === 'integer' && Number.isInteger(value))
  if (type !== undefined && ![type].flat().some(right)) return false
  if (options !== undefined && !(options as unknown[]).includes(value)) return false
  if ('const' in schema && schema.const !== value) return false
  if (anyOf !== undefined && !list(anyOf).some((one) => fits(one, value))) return false
  if (oneOf !== undefined && list(oneOf).filter((one) => fits(one, value)).length !== 1) return false
  if (!list(allOf).every((one) => fits(one, value))) return false
  if (typeof value === 'string') return fitsText(schema, value)
  if (typeof value === 'number') return fitsNumber(schema, value)
  if (Array.isArray(value)) return fitsList(schema, value)
  return !isObject(value) || fitsObject(schema, value)
}

function fitsText({ pattern, minLength = 0, maxLength = Infinity }: Json, text: string): boolean {
  const { length } = [...text]
  if (pattern !== undefined && !new RegExp(String(pattern), 'u').test(text)) return false
  return length >= Number(minLength) && length <= Number(maxLength)
}

function fitsNumber(schema: Json, value: number): boolean {
  const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema
  if (value < Number(minimum) || value > Number(maximum)) return false
  if (exclusiveMinimum !== undefined && value <= Number(exclusiveMinimum)) return false
  if (exclusiveMaximum !== undefined && value >= Number(exclusiveMaximum)) return false
  return multipleOf === undefined || value % Number(multipleOf) === 0
}

function fitsList(schema: Json, items: readonly unknown[]): boolean {
  const { minItems = 0, maxItems = Infinity } = schema
  const first = list(schema.prefixItems)
  if (items.length < Number(minItems) || items.length > Number(maxItems)) return false
  return items.every((item, index) => fits(first[index] ?? (schema.items as Json | undefined), item))
}

function fitsObject(schema: Json, value: Json): boolean {
  const properties = (schema.properties ?? {}) as Record<string, Json>
  if (!list(schema.required).every((name) => Object.hasOwn(value, String(name)))) return false
  return Object.entries(value).every(([name, part]) => {
    if (!fits(schema.propertyNames as Json | undefined, name)) return false
    return fits(properties[name] ?? (schema.additionalProperties as Json | undefined), part)
  })
}
