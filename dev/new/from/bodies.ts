import { below, follow, isJson, type Json, listOf, objectOf, textOf } from './document.ts'
import { typesOf } from './merge.ts'
import type { Reading, RequestPart } from './parameters.ts'
import { keyOf, quote } from './words.ts'

const jsonType = /^application\/(?:[\w.+-]+\+)?json$/

/** Content types as this service writes them: in lower case, without parameters; `*\/*` is JSON. */
function contentOf(content: unknown, place: string, { notes }: Reading): Map<string, Json> {
  const found = new Map<string, Json>()
  for (const [stated, media] of Object.entries(objectOf(content))) {
    const bare = stated.replace(/;.*/, '').trim().toLowerCase()
    const type = bare === '*/*' ? 'application/json' : bare
    if (bare === '*/*') notes.add(below(place, stated), 'the content type */* is taken as application/json')
    if (!found.has(type)) found.set(type, objectOf(media))
  }
  return found
}

/** The examples of a media type. */
function examplesOf({ example, examples }: Json): unknown[] {
  const named = isJson(examples)
    ? Object.values(examples).map((one) => objectOf(one).value)
    : listOf(examples)
  return [example, ...named].filter((one) => one !== undefined)
}

/** Reads the body of a request. A form with required fields is required itself, which Swagger 2 cannot say. */
export function readBody(
  given: unknown,
  place: string,
  method: string,
  reading: Reading,
): RequestPart | undefined {
  const { document, notes } = reading
  const body = follow(document, given)
  const all = contentOf(body.content, below(place, 'content'), reading)
  if (all.size === 0) return undefined
  if (method === 'get') {
    notes.add(place, 'GET has no body here: it is left out. Write the route as POST, or take a query')
    return undefined
  }
  const content = chooseTypes(all, place, reading)
  const parts = [...content].map(([type, media]) => bodyPart(type, media, place, reading))
  const [first] = parts
  if (!first) return undefined
  const isForm = first.part.kind === 'form'
  const fields = isForm ? listOf(follow(document, content[0]?.[1].schema).required) : []
  const isRequired = body.required === true || fields.length > 0
  const part = { ...first.part, isRequired }
  const code = `body: { ${isRequired ? 'required: true, ' : ''}content: { ${parts.map((one) => one.code).join(', ')} } }`
  if (isRequired && parts.length === 1 && part.kind === 'json' && part.type === 'application/json') {
    reading.uses.runtime.add('jsonBody')
    return { code: `body: jsonBody(${part.schema})`, part }
  }
  return { code, part }
}

/** XML beside JSON is left out: a body is one or the other, and zod reads JSON. */
function chooseTypes(all: Map<string, Json>, place: string, { notes }: Reading): [string, Json][] {
  const types = [...all.keys()]
  const isReadable = (type: string) => !/[/+]xml$/.test(type)
  const kept = types.some(isReadable) ? types.filter(isReadable) : types
  for (const type of types.filter((one) => !kept.includes(one)))
    notes.add(place, `${type} is left out: this service reads and writes JSON`)
  return kept.map((type) => [type, all.get(type) ?? {}])
}

/** The fields of a form. What is no text, such as an object, is taken as one. */
function fieldsOf({ properties }: Json, place: string, { document, notes }: Reading): Json {
  const isObject = (schema: unknown) => {
    const found = follow(document, schema)
    return typesOf(found).includes('object') || 'allOf' in found || 'anyOf' in found || 'oneOf' in found
  }
  const fields = Object.entries(objectOf(properties)).map(([name, schema]) => {
    const { items } = follow(document, schema)
    const text = isObject(schema)
      ? { type: 'string' }
      : isObject(items)
        ? { type: 'array', items: { type: 'string' } }
        : undefined
    if (text)
      notes.add(
        below(place, 'properties', name),
        'an object in a form is taken as text: parse it in .transform()',
      )
    return [name, text ?? schema]
  })
  return properties === undefined ? {} : { properties: Object.fromEntries(fields) }
}

function bodyPart(type: string, media: Json, place: string, reading: Reading): RequestPart {
  const { document, book, pascal, uses } = reading
  const at = below(place, 'content', type, 'schema')
  if (jsonType.test(type)) {
    const examples = examplesOf(media)
    const schema = book.add(`${pascal}Body`, media.schema ?? {}, { place: at, use: 'request', examples })
    uses.schemas.add(schema)
    return { code: `${keyOf(type)}: { schema: ${schema} }`, part: { kind: 'json', schema, type } }
  }
  if (/^(multipart\/form-data|application\/x-www-form-urlencoded)$/.test(type)) {
    const files = type.startsWith('multipart/')
    const given = follow(document, media.schema)
    const stated =
      given.type === 'object' || given.properties ? given : { type: 'object', allOf: [media.schema ?? {}] }
    const form = { additionalProperties: false, ...stated, ...fieldsOf(stated, at, reading) }
    const schema = book.add(`${pascal}Form`, form, { place: at, use: 'request', files, isPublic: false })
    uses.schemas.add(schema)
    return { code: `${keyOf(type)}: { schema: ${schema} }`, part: { kind: 'form', schema, type } }
  }
  const isText = /^text\//.test(type) || /[/+]xml$/.test(type)
  if (isText) uses.runtime.add('z')
  return {
    code: `${keyOf(type)}: ${isText ? '{ schema: z.string() }' : '{}'}`,
    part: { kind: 'other', type },
  }
}

/** What an operation responds with: the code of its successes, and the statuses of its errors. */
export interface ReadResponses {
  readonly codes: readonly string[]
  readonly errors: readonly { status: number; description: string | undefined }[]
}

/** Reads the responses of an operation. Errors are problems here, whatever body the document gives them. */
export function readResponses(given: unknown, place: string, reading: Reading): ReadResponses {
  const { document, notes } = reading
  const all = Object.entries(objectOf(given)).map(
    ([status, response]) => [status.toUpperCase(), follow(document, response)] as const,
  )
  const successes = all.filter(([status]) => /^[23](\d\d|XX)$/.test(status))
  const errors = all.filter(([status]) => /^[45]\d\d$/.test(status))
  for (const [status] of all.filter(([one]) => /^(1\d\d|[145]XX)$/.test(one)))
    notes.add(below(place, status), 'responses of this kind are not stated: the runtime adds its problems')
  const fallback = all.find(([status]) => status === 'DEFAULT')
  if (fallback && successes.length > 0)
    notes.add(
      below(place, 'default'),
      'the default response is taken as that of errors, which are problems here',
    )
  if (fallback && successes.length === 0)
    notes.add(below(place, 'default'), 'no success is stated: the default response is taken as that of 200')
  if (!fallback && successes.length === 0) notes.add(place, 'no success is stated: 204 is taken')
  if (
    errors.some(([, { content }]) => Object.values(objectOf(content)).some((media) => objectOf(media).schema))
  )
    notes.add(
      place,
      'bodies of errors are problems here (application/problem+json), not as the document has them: `problemFormat` in src/app.ts writes others',
    )
  const stated: readonly (readonly [string, Json])[] =
    successes.length > 0 ? successes : fallback ? [['200', fallback[1]]] : [['204', {}]]
  return {
    codes: stated.map(([status, response]) =>
      responseCode(status, response, stated.length > 1, place, reading),
    ),
    errors: errors.map(([status, { description }]) => ({
      status: Number(status),
      description: textOf(description),
    })),
  }
}

function responseCode(
  status: string,
  response: Json,
  isOneOfMany: boolean,
  place: string,
  reading: Reading,
): string {
  const { notes, book, pascal, uses } = reading
  const key = /^\d+$/.test(status) ? status : quote(status)
  const description = quote(textOf(response.description)?.split('\n')[0] ?? `The response ${status}`)
  const headers = headersOf(response, below(place, status), reading)
  const content = [...contentOf(response.content, below(place, status, 'content'), reading)]
  const [type, media] = content.find(([one]) => jsonType.test(one)) ?? content[0] ?? []
  for (const [other] of content.filter(([one]) => one !== type))
    notes.add(below(place, status), `${other} is left out: a response is sent as ${type}`)
  const isEmpty = !type || /^(204|205|304)$/.test(status)
  if (isEmpty || !media)
    return `${key}: { description: ${description}${headers ? `, headers: ${headers}` : ''} }`
  if (!jsonType.test(type)) {
    const isText = /^text\//.test(type) || /[/+]xml$/.test(type)
    if (isText) uses.runtime.add('z')
    return `${key}: { description: ${description}, content: { ${keyOf(type)}: ${isText ? '{ schema: z.string() }' : '{}'} } }`
  }
  const at = below(place, status, 'content', type, 'schema')
  const wanted = `${pascal}Response${isOneOfMany ? status : ''}`
  const schema = book.add(wanted, media.schema ?? {}, {
    place: at,
    use: 'response',
    examples: examplesOf(media),
  })
  uses.schemas.add(schema)
  if (type !== 'application/json')
    return `${key}: { description: ${description}, content: { ${keyOf(type)}: { schema: ${schema} } } }`
  uses.runtime.add('json')
  return `${key}: json(${description}, ${schema}${headers ? `, ${headers}` : ''})`
}

function headersOf(response: Json, place: string, { document, notes }: Reading): string | undefined {
  const all = Object.entries(objectOf(response.headers)).filter(
    ([name]) => name.toLowerCase() !== 'content-type',
  )
  if (all.length === 0) return undefined
  notes.add(below(place, 'headers'), 'headers of responses are stated as text that may be absent')
  const members = all.map(([name, given]) => {
    const description = quote(textOf(follow(document, given).description)?.split('\n')[0] ?? name)
    return `${keyOf(name)}: { description: ${description}, required: false, schema: { type: 'string' } }`
  })
  return `{ ${members.join(', ')} }`
}
