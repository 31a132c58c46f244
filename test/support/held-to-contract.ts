import fc from 'fast-check'
import { expect } from 'vitest'
import type { Api, ClientRequest } from './client.ts'
import { followReferences } from './contract.ts'
import { type JsonSchema, judge } from './json-schema.ts'
import { valuesOf } from './values-of.ts'

interface Media {
  readonly schema?: JsonSchema
}
interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header' | 'cookie'
  readonly required: boolean
  readonly schema: JsonSchema
}

/** An operation of a contract. */
export interface Operation {
  readonly operationId: string
  readonly method: string
  readonly path: string
  readonly security?: readonly Record<string, readonly string[]>[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required?: boolean; readonly content: Record<string, Media> }
  readonly responses: Record<string, { readonly content?: Record<string, Media> }>
}

/** A contract, as far as it speaks of values. */
export interface Contract {
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { readonly schemas: Record<string, JsonSchema> }
}

/** What is sent to an operation, and whether its contract takes it. */
interface Trial {
  readonly values: readonly { readonly parameter: Parameter; readonly value: unknown }[]
  readonly body: unknown
  readonly fits: boolean
}

/** The operations of a contract, those alone that take JSON or no body. */
export function operationsOf(contract: Contract): Operation[] {
  return Object.entries(followReferences(contract).paths)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        ...operation,
        method: method.toUpperCase(),
        path,
      })),
    )
    .filter(({ requestBody }) => !requestBody || requestBody.content['application/json']?.schema)
}

/**
 * Holds a service to its contract over HTTP: values that fit the contract are not refused as such, values that do not
 * are a 400, and every response is as the contract says.
 *
 * @param send sends a request with whatever the operation's security asks for
 * @param runs how many requests are sent to the operation
 * @returns how many of them fitted
 */
export async function holdToContract(
  { components: { schemas } }: Contract,
  operation: Operation,
  send: Api,
  runs: number,
): Promise<{ fitting: number; other: number }> {
  const fits = judge(schemas)
  const values = valuesOf(schemas, fits)
  const seen = { fitting: 0, other: 0 }
  await fc.assert(
    fc.asyncProperty(trialOf(operation, values, fits), async (trial) => {
      seen[trial.fits ? 'fitting' : 'other']++
      const [path, request] = requestOf(operation, trial)
      const response = await send(path, request)
      const text = await response.text()
      const refused = response.status === 400 && /"code":"(VALIDATION_FAILED|MALFORMED_REQUEST)"/.test(text)
      expect({ path, request, fits: !refused, text }).toMatchObject({ fits: trial.fits })
      expectStated(operation, response, text, fits)
    }),
    { numRuns: runs, endOnFailure: true },
  )
  return seen
}

function expectStated(
  { responses }: Operation,
  { status, headers }: Response,
  text: string,
  fits: (schema: JsonSchema, value: unknown) => boolean,
): void {
  const stated = responses[status] ?? responses[`${String(status)[0]}XX`] ?? responses.default
  expect({ status, stated: Object.keys(responses), text }).toMatchObject({ stated: expect.any(Array) })
  expect({ status, isStated: stated !== undefined, text }).toMatchObject({ isStated: true })
  const type = headers.get('content-type')?.split(';')[0] ?? ''
  const schema = stated?.content?.[type]?.schema
  if (schema && /json$/.test(type))
    expect({ text, fits: fits(schema, JSON.parse(text)) }).toMatchObject({ fits: true })
}

function trialOf(
  { path, parameters = [], requestBody }: Operation,
  { raw, spoilt }: ReturnType<typeof valuesOf>,
  fits: (schema: JsonSchema, value: unknown) => boolean,
): fc.Arbitrary<Trial> {
  const near = (schema: JsonSchema) =>
    fc.oneof({ weight: 3, arbitrary: raw(schema) }, { weight: 1, arbitrary: spoilt(schema) })
  const parts = parameters
    .filter((parameter) => parameter.in !== 'cookie')
    .map((parameter) => {
      const value = near(parameter.schema).filter((one) => isSendable(path, parameter, one))
      return (parameter.required ? value : fc.option(value, { nil: undefined })).map((one) => ({
        parameter,
        value: one,
      }))
    })
  const schema = requestBody?.content['application/json']?.schema
  const body = schema ? near(schema).filter(isText) : fc.constant(undefined)
  return fc.tuple(fc.tuple(...parts), body).map(([all, sent]) => {
    const values = all.filter(({ value }) => value !== undefined)
    const taken = values.every(({ parameter, value }) => takesText(parameter.schema, value, fits))
    return { values, body: sent, fits: taken && (!schema || fits(schema, sent)) }
  })
}

/** Whether UTF-8 and PostgreSQL hold its texts: what has NUL or half a character is refused, whatever its schema. */
function isText(value: unknown): boolean {
  return !/\\u(0000|d[89a-f])/.test(JSON.stringify(value) ?? '')
}

/** What a text of a parameter may stand for: itself, or a number or a boolean as JSON writes it. */
function takesText(
  schema: JsonSchema,
  value: unknown,
  fits: (schema: JsonSchema, value: unknown) => boolean,
): boolean {
  const meanings = (one: unknown): unknown[] => {
    const text = String(one)
    return /^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?)$/i.test(text)
      ? [text, JSON.parse(text)]
      : [text]
  }
  const parts = [value].flat()
  if (parts.length === 1) return meanings(parts[0]).some((one) => fits(schema, one) || fits(schema, [one]))
  const lists = [0, 1].map((way) => parts.map((one) => meanings(one)[way] ?? String(one)))
  return lists.some((items) => fits(schema, items))
}

/**
 * Whether HTTP can carry a value there, and as what it is: a path has no empty step, a header no spaces around it. Where
 * a parameter is a part of a step, what stands beside it may not be in it.
 */
function isSendable(path: string, { name, in: place }: Parameter, value: unknown): boolean {
  if (!isText(value) || String(value).length > 500) return false // a request line has 16 KiB
  const parts = Array.isArray(value) ? value : [value]
  if (parts.length === 0 || parts.some((part) => typeof part === 'object')) return false
  if (place === 'query') return true
  const text = String(value)
  if (place === 'path') {
    const beside =
      path
        .split('/')
        .find((step) => step.includes(`{${name}}`))
        ?.replaceAll(/\{[^}]*\}|\w/g, '') ?? ''
    const isWhole = path.split('/').includes(`{${name}}`)
    return isWhole
      ? !/^\.{0,2}$/.test(text)
      : /^[\w-]+$/.test(text) && ![...beside].some((one) => text.includes(one))
  }
  return !Array.isArray(value) && /^[!-~]([ -~]*[!-~])?$/.test(text)
}

function requestOf(
  { method, path, requestBody }: Operation,
  { values, body }: Trial,
): [string, ClientRequest] {
  const of = (place: Parameter['in']) =>
    values
      .filter(({ parameter }) => parameter.in === place)
      .flatMap(({ parameter: { name }, value }) =>
        [value].flat().map((one): [string, string] => [name, String(one)]),
      )
  const filled = of('path').reduce(
    (all, [name, text]) => all.replaceAll(`{${name}}`, encodeURIComponent(text)),
    path,
  )
  const query = new URLSearchParams(of('query')).toString()
  const request = { method, headers: Object.fromEntries(of('header')) }
  return [query ? `${filled}?${query}` : filled, requestBody ? { ...request, json: body } : request]
}
