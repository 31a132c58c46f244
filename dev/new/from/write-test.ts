import { z } from '#runtime'
import type { Draft } from '../template.ts'
import { isJson } from './document.ts'
import type { Part, RouteDraft } from './operation.ts'
import type { Written } from './schema-book.ts'
import { keyOf, literal, quote } from './words.ts'
import type { FeatureDraft } from './write-code.ts'

const kit = '#test/kit'

/** A request of a test, as code. */
interface Request {
  readonly path: string
  readonly members: readonly string[]
  readonly isComplete: boolean
}

/** Writes the test of a feature: each route refuses what the document refuses, and takes what it takes. */
export function writeTest({ kebab, routes, schemas }: FeatureDraft): Draft {
  const bySchema = new Map(schemas.map((schema) => [schema.constant, schema]))
  const all = routes.map((route) => ({
    route,
    request: requestOf(route, bySchema),
    bad: badBody(route, bySchema),
  }))
  const scopes = [...new Set(routes.flatMap(({ trial }) => trial.scopes))]
  const complete = all.filter(({ request, route }) => request.isComplete && route.trial.access !== 'key')
  const closed = all.filter(({ route }) => /^(token|key)$/.test(route.trial.access))
  const withBody = complete.filter(({ bad }) => bad !== undefined)
  const line = ({ route, request }: (typeof all)[number], more = '') =>
    `  [${quote(route.operationId)}, ${quote(request.path)}, { method: ${quote(route.method.toUpperCase())}${[
      ...request.members,
      more,
    ]
      .filter(Boolean)
      .map((one) => `, ${one}`)
      .join('')} }],`
  const hasForm = complete.some(({ request }) => request.members.some((one) => one.includes('form(')))
  const parts = [
    `import { expect, test } from 'vitest'\nimport { expectProblem, testService } from '${kit}'`,
    `const service = await testService()\nconst alice = await service.as('alice', ${literal(scopes)})`,
    hasForm ? formHelper : '',
    closed.length > 0
      ? `test.each([\n${closed.map(({ route, request }) => `  [${quote(route.operationId)}, ${quote(request.path)}, ${quote(route.method.toUpperCase())}],`).join('\n')}\n])('%s refuses a request without credentials', async (_operationId, path, method) => {
  const response = await service.api(path, { method })
  expect(response.status).toBe(401)
})`
      : '',
    withBody.length > 0
      ? `test.each([\n${withBody.map((one) => line({ ...one, request: { ...one.request, members: one.request.members.filter((member) => !member.startsWith('json:')) } }, `json: ${literal(one.bad)}`)).join('\n')}\n])('%s refuses another body', async (_operationId, path, request) => {
  await expectProblem(await alice(path, request), 400, 'VALIDATION_FAILED')
})`
      : '',
    complete.length > 0
      ? `// what the document takes. Take a line out when its handler is written, and test what it does\ntest.each([\n${complete.map((one) => line(one)).join('\n')}\n])('%s is not written yet', async (_operationId, path, request) => {
  await expectProblem(await alice(path, request), 501, 'NOT_IMPLEMENTED')
})`
      : '',
  ].filter(Boolean)
  const code = parts.join('\n\n')
  const text = /\bexpect\(/.test(code) ? code : code.replace('{ expect, test }', '{ test }')
  return {
    path: `test/${kebab}/${kebab}.test.ts`,
    text: `${/\bexpectProblem\(/.test(text) ? text : text.replace('{ expectProblem, testService }', '{ testService }').replace(/\nconst alice = .*/, '')}\n`,
  }
}

const formHelper = `function form(fields: Record<string, string | File | readonly (string | File)[]>): FormData {
  const data = new FormData()
  for (const [name, values] of Object.entries(fields)) for (const value of [values].flat()) data.append(name, value)
  return data
}`

function requestOf({ path, trial }: RouteDraft, schemas: ReadonlyMap<string, Written>): Request {
  let filled = path
  let isComplete = true
  const members: string[] = []
  for (const part of trial.parts) {
    const schema = part.schema === undefined ? undefined : schemas.get(part.schema)
    const { example } = schema ?? {}
    if (part.kind === 'other') {
      members.push(`body: 'text'`, `headers: { 'Content-Type': ${quote(sendableType(part.type))} }`)
    } else if (part.kind === 'form') {
      const fields = formFields(schema)
      if (fields === undefined) isComplete = false
      else if (part.type === 'multipart/form-data') members.push(`body: form(${fields})`)
      else members.push(`body: new URLSearchParams(${fields})`)
    } else if (part.kind === 'json') {
      const isOther = part.type !== 'application/json'
      if (example === undefined) isComplete &&= part.isRequired !== true
      else if (isOther)
        members.push(
          `body: ${quote(JSON.stringify(example))}`,
          `headers: { 'Content-Type': ${quote(part.type ?? '')} }`,
        )
      else members.push(`json: ${literal(example)}`)
    } else if (!isJson(example)) isComplete = false
    else if (part.kind === 'params') filled = fillIn(filled, example)
    else if (part.kind === 'query') {
      const query = new URLSearchParams(pairsOf(example)).toString()
      if (query !== '') filled += `?${query}`
    } else if (part.kind === 'headers' && Object.keys(example).length > 0)
      members.push(
        `headers: { ${pairsOf(example)
          .map(([name, text]) => `${keyOf(name)}: ${quote(text)}`)
          .join(', ')} }`,
      )
    else if (part.kind === 'cookies' && Object.keys(example).length > 0)
      members.push(
        `headers: { Cookie: ${quote(
          pairsOf(example)
            .map(([name, text]) => `${name}=${encodeURIComponent(text)}`)
            .join('; '),
        )} }`,
      )
  }
  const headers = members.filter((member) => member.startsWith('headers: {'))
  const joined = headers.map((member) => member.slice('headers: { '.length, -' }'.length)).join(', ')
  const rest = members.filter((member) => !headers.includes(member))
  return {
    path: filled,
    members: headers.length > 0 ? [...rest, `headers: { ${joined} }`] : rest,
    isComplete: isComplete && !/[{}]/.test(filled),
  }
}

function fillIn(path: string, values: Record<string, unknown>): string {
  return Object.entries(values).reduce(
    (filled, [name, value]) => filled.replaceAll(`{${name}}`, encodeURIComponent(String(value))),
    path,
  )
}

function pairsOf(values: Record<string, unknown>): [string, string][] {
  return Object.entries(values).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, String(one)]),
  )
}

function sendableType(type: string | undefined): string {
  const [kind = 'application', name = 'octet-stream'] = (type ?? '').split('/')
  return `${kind === '*' ? 'application' : kind}/${name === '*' ? 'octet-stream' : name}`
}

/** The fields of a form: its example without files, and a file for each that is needed. */
function formFields(written: Written | undefined): string | undefined {
  if (!(written?.schema instanceof z.ZodObject)) return undefined
  const shape: Record<string, z.core.$ZodType> = written.schema.def.shape
  const fields: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(shape)) {
    const isNeeded = schema._zod.optin === undefined
    const isFile = schema instanceof z.ZodFile
    const isFiles = schema instanceof z.ZodArray && schema.def.element instanceof z.ZodFile
    const stated = isJson(written.example) ? written.example[name] : undefined
    if (isFile || isFiles) {
      fields.push(`${keyOf(name)}: new File(['text'], 'file.txt')`)
      values[name] = isFiles ? [new File(['text'], 'file.txt')] : new File(['text'], 'file.txt')
    } else if (isNeeded) {
      const value = stated ?? written.fields?.[name]
      const isList = Array.isArray(value)
      if (value === undefined || typeof (isList ? value[0] : value) === 'object') return undefined
      values[name] = value
      fields.push(`${keyOf(name)}: ${isList ? literal(value.map(String)) : quote(String(value))}`)
    }
  }
  return written.schema.safeParse(values).success ? `{ ${fields.join(', ')} }` : undefined
}

/** A JSON body that the route refuses; `undefined` if it takes everything. */
function badBody({ trial }: RouteDraft, schemas: ReadonlyMap<string, Written>): unknown {
  const jsons = trial.parts.filter((part: Part) => part.kind === 'json' && part.type === 'application/json')
  const schema = schemas.get(jsons[0]?.schema ?? '')?.schema
  return ['none of these', 5, [], {}].find((value) => schema && !schema.safeParse(value).success)
}
