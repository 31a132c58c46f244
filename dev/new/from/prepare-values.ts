import { type Json, listOf } from './document.ts'
import type { Scope } from './scope.ts'

/** Formats that zod checks, and what OpenAPI calls them. */
const formats: Readonly<Record<string, string>> = {
  ...{
    email: 'email',
    uri: 'uri',
    url: 'uri',
    uuid: 'uuid',
    'date-time': 'date-time',
    date: 'date',
    time: 'time',
  },
  ...{
    duration: 'duration',
    hostname: 'hostname',
    ipv4: 'ipv4',
    ipv6: 'ipv6',
    byte: 'base64',
    base64: 'base64',
  },
}

/** Prepares a text: its format, its length and its pattern. */
export function prepareText(schema: Json, place: string, { notes, files }: Scope): Json {
  const { format, pattern, minLength, maxLength, contentMediaType, contentEncoding } = schema
  const isBytes =
    format === 'binary' || (contentMediaType === 'application/octet-stream' && contentEncoding === undefined)
  if (isBytes && files) return { 'x-file': true }
  if (isBytes)
    notes.add(place, 'bytes outside a form of type multipart/form-data are taken as text: use base64')
  const known = formats[contentEncoding === 'base64' ? 'byte' : String(format)]
  const isOther = typeof format === 'string' && !known && !isBytes
  if (isOther && format !== 'password')
    notes.add(place, `the format ${format} is shown in the contract, and not checked`)
  const checked = typeof pattern === 'string' ? unicodePattern(pattern) : undefined
  const isLost = pattern !== undefined && checked === undefined
  if (isLost)
    notes.add(
      place,
      `the pattern ${pattern} is no regular expression of JavaScript with the flag u: it is not checked. Write it by .regex()`,
    )
  return {
    type: 'string',
    ...(known && { format: known }),
    ...(isOther && { 'x-openapi': { format } }),
    ...(checked !== undefined && { pattern: checked }),
    ...(isLost && {
      'x-comments': [`The document also states the pattern ${String(pattern)}, which is not checked here`],
    }),
    ...(minLength !== undefined && { minLength }),
    ...(maxLength !== undefined && { maxLength }),
  }
}

/** A pattern that means the same with the flag u, as contracts have it: without escapes that this flag refuses. */
function unicodePattern(pattern: string): string | undefined {
  const candidates = [
    pattern,
    pattern.replaceAll(/\\([^\w\s^$\\.*+?()[\]{}|/-])/g, '$1').replaceAll(/\\([_-])(?![^[]*\])/g, '$1'),
  ]
  return candidates.find((candidate) => {
    try {
      return new RegExp(candidate, 'u') instanceof RegExp
    } catch {
      return false
    }
  })
}

/** Prepares a number. JSON's whole numbers are exact up to 2^53. */
export function prepareNumber(
  schema: Json,
  type: 'integer' | 'number',
  place: string,
  { notes }: Scope,
): Json {
  const { format, multipleOf, ...rest } = schema
  const bounds: Json = {}
  for (const word of ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'])
    if (typeof rest[word] === 'number' && Math.abs(rest[word]) <= Number.MAX_SAFE_INTEGER)
      bounds[word] = rest[word]
  if (type === 'integer' && typeof bounds.exclusiveMinimum === 'number')
    bounds.minimum = Math.max(Number(bounds.minimum ?? -Infinity), Math.floor(bounds.exclusiveMinimum) + 1)
  if (type === 'integer' && typeof bounds.exclusiveMaximum === 'number')
    bounds.maximum = Math.min(Number(bounds.maximum ?? Infinity), Math.ceil(bounds.exclusiveMaximum) - 1)
  if (type === 'integer') {
    delete bounds.exclusiveMinimum
    delete bounds.exclusiveMaximum
  }
  if (type === 'integer' && format === 'int64')
    notes.add(
      place,
      'int64: whole numbers above 2^53 are refused, because JSON does not carry them exactly. Send such as text',
    )
  const isInt32 = type === 'integer' && format === 'int32'
  const largest = Math.max(
    ...[bounds.minimum ?? bounds.exclusiveMinimum, bounds.maximum ?? bounds.exclusiveMaximum].map((bound) =>
      typeof bound === 'number' ? Math.abs(bound) : isInt32 ? 2 ** 31 : Number.POSITIVE_INFINITY,
    ),
  )
  const isStep = typeof multipleOf === 'number'
  const isExact = isStep && type === 'integer' && Number.isInteger(multipleOf) && largest / multipleOf <= 1e14
  const isLost = isStep && !isExact && !(type === 'integer' && multipleOf === 1)
  if (isLost)
    notes.add(
      place,
      '`multipleOf` is exact only for whole numbers within bounds: it is not checked. State a minimum and a maximum',
    )
  return {
    type,
    ...bounds,
    ...(isInt32 && { 'x-int32': true }),
    ...(isExact && { multipleOf }),
    ...(isLost && {
      'x-comments': [`The document also states multipleOf ${multipleOf}, which is not checked here`],
    }),
    ...(format !== undefined && !isInt32 && { 'x-openapi': { format } }),
  }
}

/** Prepares a list. */
export function prepareList(
  schema: Json,
  part: (schema: unknown, step: string) => Json,
  place: string,
  { notes }: Scope,
): Json {
  const { minItems, maxItems, uniqueItems, prefixItems, items } = schema
  const tuple = listOf(prefixItems).map((item, index) => part(item, `prefixItems/${index}`))
  const element = items === undefined ? {} : part(items, 'items')
  const isScalar =
    element.enum !== undefined || ['string', 'integer', 'number', 'boolean'].includes(String(element.type))
  if (tuple.length > 0)
    return prepareTuple(schema, tuple, items === undefined || items === false ? items : element)
  const isUnique = uniqueItems === true
  if (isUnique && !isScalar)
    notes.add(place, '`uniqueItems` of what are not texts or numbers is not checked: check it in the handler')
  return {
    type: 'array',
    items: element,
    ...(minItems !== undefined && { minItems }),
    ...(maxItems !== undefined && { maxItems }),
    ...(isUnique &&
      isScalar && {
        'x-after': [`.refine((list) => new Set(list).size === list.length, 'must not hold a value twice')`],
        'x-openapi': { uniqueItems: true },
      }),
    ...(isUnique &&
      !isScalar && { 'x-comments': ['The document also states `uniqueItems`, which is not checked here'] }),
  }
}

/** A list of stated elements, each by its position. */
function prepareTuple(schema: Json, prefixItems: readonly Json[], items: Json | false | undefined): Json {
  const { minItems, maxItems } = schema
  const after: string[] = []
  const shown: Json = {}
  if (typeof minItems === 'number' && minItems > prefixItems.length) {
    after.push(`.refine((list) => list.length >= ${minItems}, 'must have ${minItems} elements at least')`)
    shown.minItems = minItems
  }
  if (typeof maxItems === 'number' && items !== false) {
    after.push(`.refine((list) => list.length <= ${maxItems}, 'may have ${maxItems} elements at most')`)
    shown.maxItems = maxItems
  }
  return {
    ...{ type: 'array', prefixItems },
    ...(items !== undefined && { items }),
    ...(minItems !== undefined && { minItems }),
    ...(after.length > 0 && { 'x-after': after, 'x-openapi': shown }),
  }
}
