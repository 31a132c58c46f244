import { describe, expect, test } from 'vitest'
import { problems } from '#src/runtime/kernel/problem.ts'
import { contractOf } from '#test/support/contract.ts'
import { noDatabase } from '#test/support/feature.ts'
import { notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'
import { stepsFeature } from '#test/support/steps.ts'

interface Media {
  schema: { $ref?: string; example?: unknown }
  example?: unknown
  examples?: Record<string, { value: { status: number; code: string } }>
}
interface Operation {
  operationId: string
  summary: string
  tags: string[]
  security: Record<string, string[]>[]
  parameters?: { in: string; name: string; required: boolean; schema: object; description?: string }[]
  requestBody?: { required: boolean; content: Record<string, Media> }
  responses: Record<string, { description: string; headers?: object; content?: Record<string, Media> }>
}
interface Contract {
  openapi: string
  info: { title: string; version: string; description: string }
  servers: { url: string }[]
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, { example?: unknown }> }
}

// What the runtime makes of what features state. test/rules/ holds that the committed contract is up to date.

const steps = stepsFeature(() => Promise.resolve('rest'))
const service = await testService({ databaseUrl: noDatabase, features: [notes, steps.feature] })
const contract = await contractOf<Contract>(service.api)
const operationsOf = ({ paths }: Contract) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => [`${method.toUpperCase()} ${path}`, method, operation] as const,
    ),
  )
const operations = operationsOf(contract)
/** An operation of the notes. */
const operation = (id: string) => {
  const found = operationsOf(contract).find(([, , { operationId }]) => operationId === id)
  if (!found) throw new Error(`There is no operation ${id}`)
  return found[2]
}

test('it is OpenAPI 3.1, with a title, a version, a server and described tags', () => {
  expect(contract.openapi).toMatch(/^3\.1\.\d+$/)
  expect(contract.info).toMatchObject({
    title: expect.stringMatching(/./),
    version: expect.stringMatching(/^\d/),
  })
  expect(contract.servers).toEqual([{ url: '/' }])
  for (const { name, description } of contract.tags) expect(name && description).toBeTruthy()
})

test('SERVICE_URL is the server', async () => {
  const environment = { SERVICE_URL: 'https://orders.example.com' }
  const service = await testService({ databaseUrl: noDatabase, features: [notes], environment })
  const { servers } = await contractOf<Contract>(service.api)
  expect(servers).toEqual([{ url: 'https://orders.example.com' }])
})

describe.each(operations)(
  '%s',
  (_place, method, { operationId, summary, tags, security, requestBody, responses, ...rest }) => {
    test('has an operationId, a summary, and tags that are described', () => {
      expect(operationId).toMatch(/^\w+$/)
      expect(summary).toMatch(/^.{5,}[^.]$/)
      expect(contract.tags.map(({ name }) => name)).toEqual(expect.arrayContaining(tags))
      expect(tags).not.toEqual([])
    })

    test('has an example of what it takes and of what it answers', () => {
      const answers = Object.entries(responses).filter(([status]) => status.startsWith('2'))
      expect(answers).not.toEqual([])
      const media = [requestBody, ...answers.map(([, response]) => response)].flatMap((part) =>
        Object.values(part?.content ?? {}),
      )
      for (const { example, examples } of media) expect(example ?? examples).toBeDefined()
    })

    test('shows every status that it can answer, and what each says', () => {
      const secured = security.length > 0
      const scoped = security.some(({ bearer = [] }) => bearer.length > 0)
      const idempotent = rest.parameters?.some(({ name }) => name === 'Idempotency-Key') ?? false
      expect(Object.keys(responses)).toEqual(
        expect.arrayContaining([
          ...['400', '500', '503'],
          ...(secured ? ['401'] : []),
          ...(scoped ? ['403'] : []),
          ...(method === 'get' ? [] : ['408', '413']),
          ...(requestBody ? ['415'] : []),
          ...(idempotent ? ['409', '422'] : []),
        ]),
      )
      expect('401' in responses).toBe(secured)
      expect('403' in responses).toBe(scoped)
      for (const { description } of Object.values(responses)) expect(description).toMatch(/./)
    })

    test('shows its problems as such, with an example of each code', () => {
      const failures = Object.entries(responses).filter(([status]) => Number(status) >= 400)
      for (const [status, { content = {}, description }] of failures) {
        const media = content['application/problem+json']
        expect(media?.schema).toEqual({ $ref: '#/components/schemas/Problem' })
        const examples = Object.entries(media?.examples ?? {})
        expect(examples).not.toEqual([])
        for (const [code, { value }] of examples) {
          expect(value).toMatchObject({ code, status: Number(status) })
          expect(description).toContain(`\`${code}\``)
        }
      }
    })
  },
)

test('every problem of the runtime’s stands somewhere, or is described as an answer to anything', () => {
  const shown = JSON.stringify(contract)
  const elsewhere = ['HTTPS_REQUIRED', 'NOT_FOUND', 'METHOD_NOT_ALLOWED', 'HEADERS_TOO_LARGE', 'CROSS_ORIGIN']
  const unseen = [
    'API_KEY_MISSING',
    'API_KEY_INVALID',
    'CREDENTIAL_IN_CLEAR',
    'CLIENT_CLOSED_REQUEST',
    'INVOKER_REQUIRED',
    'RUNTIME_TASK_BUSY',
  ]
  const missing = Object.keys(problems).filter((code) => !shown.includes(`"code":"${code}"`))
  expect(missing.filter((code) => ![...elsewhere, ...unseen].includes(code))).toEqual([])
})

test('the parameters of the list have their types, bounds and defaults', () => {
  const parameters = operation('listNotes').parameters ?? []
  expect(
    parameters.map(({ in: place, name, required, schema }) => ({ place, name, required, schema })),
  ).toEqual([
    {
      place: 'query',
      name: 'limit',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
    },
    { place: 'query', name: 'cursor', required: false, schema: expect.objectContaining({ type: 'string' }) },
    {
      place: 'query',
      name: 'status',
      required: false,
      schema: { type: 'string', enum: ['open', 'closed'] },
    },
  ])
})

test('the headers that a route honours are parameters', () => {
  const headersOf = (id: string) => operation(id).parameters?.filter(({ in: place }) => place === 'header')
  expect(headersOf('writeNote')).toMatchObject([
    {
      name: 'Idempotency-Key',
      required: false,
      schema: { type: 'string' },
      description: expect.stringMatching(/24 hours/),
    },
  ])
  expect(headersOf('readNote')).toMatchObject([{ name: 'if-none-match', required: false }])
  expect(headersOf('closeNote')).toMatchObject([{ name: 'if-match', required: false }])
})

test('the headers of an answer are described', () => {
  expect(Object.keys(operation('writeNote').responses['201']?.headers ?? {})).toEqual(['Location', 'ETag'])
  expect(operation('readNote').responses['304']).toEqual({
    description: expect.stringMatching(/If-None-Match/),
  })
})

test('what a request takes is strict, and says so', () => {
  expect(contract.components.schemas.NewNote).toMatchObject({
    required: ['text', 'pages'],
    properties: {
      text: { minLength: 1, maxLength: 100 },
      pages: { type: 'integer', minimum: 1, maximum: 1000 },
    },
    additionalProperties: false,
  })
})

test.each(['', 'https://app.example.com', '*'])(
  'any origin may read it, whatever CORS_ORIGINS says: %j',
  async (list) => {
    const service = await testService({ databaseUrl: noDatabase, environment: { CORS_ORIGINS: list } })
    for (const Origin of ['https://docs.example.org', 'https://app.example.com', 'null']) {
      const response = await service.api('/openapi.json', { headers: { Origin } })
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
      expect(response.headers.get('access-control-allow-credentials')).toBeNull()
    }
  },
)
