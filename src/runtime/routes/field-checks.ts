import { z } from '@hono/zod-openapi'
import { type Alternatives, alternativesOf, hasList, innerSchemas, namesIn, partsOf } from '../http/fields.ts'
import { defaultBodyLimit } from '../http/limit-body.ts'
import { isJson } from '../http/media-type.ts'
import { isForm } from '../http/read-form.ts'
import { filesIn } from '../schemas/file.ts'
import type { RouteDefinition } from './route.ts'

type Schema = z.core.$ZodType

/** A part of a request that consists of named texts: a query, a form, the headers and so on. */
interface Carrier {
  readonly schema: Schema
  /** For the message, such as `query parameter`. */
  readonly where: string
  readonly lists: boolean
  readonly files: boolean
}

/**
 * Refuses schemas that no text in a query, a form, a path, a header or a cookie can fit.
 *
 * @throws {Error} naming the route, the field and what to write instead
 */
export function checkFields(routeName: string, route: RouteDefinition): void {
  const limit = route.bodyLimit ?? defaultBodyLimit
  for (const carrier of carriersOf(routeName, route)) {
    for (const name of [...namesIn(carrier.schema), undefined]) {
      const at = `${routeName} (${carrier.where} ${name ?? '*'})`
      const parts = partsOf(carrier.schema, name)
      for (const part of parts) refuse(at, part, carrier)
      if (parts.map((part) => alternativesOf(part)).some((a, _index, all) => all.some((b) => differ(a, b))))
        throw new Error(
          `${at} takes a list in one variant and a single value in another: write z.array() in both, or other names.`,
        )
      for (const { maxBytes } of parts.flatMap(filesIn))
        if (maxBytes !== undefined && maxBytes >= limit)
          throw new Error(
            `${at} takes files of ${maxBytes} bytes, but bodies of ${limit}: declare a larger bodyLimit, with room for the rest of the form.`,
          )
    }
  }
}

function* carriersOf(routeName: string, { request }: RouteDefinition): Generator<Carrier> {
  const single = { lists: false, files: false }
  if (request?.params) yield { schema: request.params, where: 'path parameter', ...single }
  for (const headers of [request?.headers ?? []].flat()) yield { schema: headers, where: 'header', ...single }
  if (request?.cookies) yield { schema: request.cookies, where: 'cookie', ...single }
  if (request?.query) {
    if (!isListable(request.query))
      throw new Error(
        `${routeName} has a query whose parameters the contract cannot list: write one z.strictObject(), with ` +
          '.optional() for parameters that may be absent and .refine() for those that belong together.',
      )
    yield { schema: request.query, where: 'query parameter', lists: true, files: false }
  }
  for (const [type, media] of Object.entries(request?.body?.content ?? {})) {
    const schema = media && 'schema' in media ? media.schema : undefined
    const bare = type.toLowerCase()
    if (!(schema instanceof z.ZodType)) continue
    if (isJson(bare) && filesIn(schema).length > 0)
      throw new Error(`${routeName} takes a file in ${bare}: write multipart/form-data, or z.base64().`)
    if (isForm(bare)) yield { schema, where: 'form field', lists: true, files: bare.startsWith('multipart/') }
  }
}

/** Whether the contract can list all names that the schema takes, except the unknown ones of a loose object. */
function isListable(schema: Schema): boolean {
  const { type } = schema._zod.def
  if (type === 'object') return true
  return (
    type !== 'union' &&
    type !== 'record' &&
    innerSchemas(schema).length > 0 &&
    innerSchemas(schema).every(isListable)
  )
}

function differ(a: Alternatives, b: Alternatives): boolean {
  const isList = (part: Alternatives) => part.one.length === 0 && (hasList(part) || part.set.length > 0)
  return isList(a) && !isList(b)
}

function refuse(at: string, schema: Schema, carrier: Carrier, above: readonly Schema[] = []): void {
  if (above.includes(schema)) return
  const { def } = (schema as z.core.$ZodTypes)._zod
  const isCoerced = 'coerce' in def && def.coerce === true
  const below = [...above, schema]
  const complaint = complaintOf(def.type, isCoerced, carrier, below)
  if (complaint) throw new Error(`${at} ${complaint}.`)
  for (const part of [...innerSchemas(schema), ...elementsOf(schema)]) refuse(at, part, carrier, below)
}

function complaintOf(
  type: z.core.$ZodTypeDef['type'],
  isCoerced: boolean,
  { lists, files }: Carrier,
  path: readonly Schema[],
): string | undefined {
  switch (type) {
    case 'array':
    case 'set':
    case 'tuple':
      if (!lists)
        return 'takes a list, but is one text: write z.string().transform((text) => text.split(","))'
      if (path.slice(0, -1).some((schema) => elementsOf(schema).length > 0))
        return 'takes a list of lists, which repeated names cannot express: write one list, or z.string() and parse it in .transform()'
      return undefined
    case 'object':
    case 'record':
    case 'map':
      return 'takes an object, but is sent as text: take its keys one by one, or z.string() and parse it in .transform()'
    case 'date':
    case 'bigint':
    case 'nan':
    case 'symbol':
      return isCoerced
        ? undefined
        : `takes z.${type}(), but is sent as text: write z.string(), and transform it`
    case 'file':
      return files
        ? undefined
        : 'takes a file, which only multipart/form-data can send: declare only that content type'
    default:
      return undefined
  }
}

/** The schemas of a list's elements. */
function elementsOf(schema: Schema): readonly Schema[] {
  const { def } = (schema as z.core.$ZodTypes)._zod
  if (def.type === 'array') return [def.element]
  if (def.type === 'set') return [def.valueType]
  return def.type === 'tuple' ? [...def.items, ...(def.rest ? [def.rest] : [])] : []
}
