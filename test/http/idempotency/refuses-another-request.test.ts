import { z } from '@hono/zod-openapi'
import { describe, expect, test } from 'vitest'
import { createSigner } from '#src/runtime/auth/sign.ts'
import { at } from '#src/runtime/feature.ts'
import { defineRoute, handle, json, jsonBody } from '#src/runtime/routes/route.ts'
import { client } from '#test/support/client.ts'
import { makeDatabase } from '#test/support/database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'
import { as, testAuth } from '#test/support/tokens.ts'
import { storedKeys } from '#test/support/work.ts'

let calls = 0
const Form = z.strictObject({ title: z.string(), file: z.file().optional(), note: z.string().optional() })
const responses = { 200: json('What was done', z.object({ call: z.int() })) }

/** An idempotent route that says how often a handler ran. */
function route(method: 'post' | 'put' | 'patch', path: string, body?: ReturnType<typeof jsonBody>) {
  const definition = defineRoute({
    method,
    path,
    operationId: `${method}${path.replaceAll(/\W/g, '')}`,
    summary: 'Count calls',
    security: 'authenticated',
    idempotent: true,
    request: {
      ...(path.includes('{id}') && { params: z.object({ id: z.string() }) }),
      query: z.strictObject({ draft: z.string().optional() }),
      ...(body && { body }),
    },
    responses,
  })
  return handle(definition, (c) => c.json({ call: ++calls }, 200))
}
const note = jsonBody(z.strictObject({ text: z.string(), pages: z.int() }))
const form = {
  required: true as const,
  content: {
    'multipart/form-data': { schema: Form },
    'application/x-www-form-urlencoded': { schema: z.strictObject({ title: z.string() }) },
  },
}
const feature = featureOf(
  route('post', '/notes', note),
  route('put', '/notes/{id}', note),
  route('patch', '/notes/{id}', note),
  route('post', '/forms', form as never),
  route('post', '/nothing'),
)
const databaseUrl = await makeDatabase()
const features = [feature]
const service = await testService({ databaseUrl, features })

const tea = '{"text":"Tea","pages":2}'

interface Sent {
  readonly method?: string
  readonly path?: string
  readonly body?: string
  readonly type?: string
}

/** Requests of one caller, all with the same key. */
async function caller(subject: string, api?: Awaited<ReturnType<typeof service.as>>) {
  const ask = api ?? (await service.as(subject))
  return function send({
    method = 'POST',
    path = '/notes',
    body = tea,
    type = 'application/json',
  }: Sent = {}) {
    return ask(path, { method, body, headers: { 'Content-Type': type, 'Idempotency-Key': 'k' } })
  }
}

/** Expects that, after the first request, the second is a 422 that runs no handler, and takes nothing from the first. */
async function expectRefused(subject: string, first: Sent, second: Sent): Promise<void> {
  const send = await caller(subject)
  const response = await expectJson(await send(first))
  const before = calls
  await expectProblem(await send(second), 422, 'IDEMPOTENCY_KEY_REUSED')
  expect(calls).toBe(before)
  expect(await expectJson(await send(first))).toEqual(response)
}

describe('the key of another request is a 422, and changes nothing:', () => {
  const put = { method: 'PUT', path: '/notes/1' }

  test.each([
    { what: 'another path', first: put, second: { ...put, path: '/notes/2' } },
    { what: 'another method', first: put, second: { ...put, method: 'PATCH' } },
    { what: 'another route', first: {}, second: put },
    { what: 'a query', first: {}, second: { path: '/notes?draft=yes' } },
    {
      what: 'another value in the query',
      first: { path: '/notes?draft=yes' },
      second: { path: '/notes?draft=no' },
    },
    { what: 'another value', second: { body: '{"text":"Tea","pages":3}' } },
    { what: 'the names in another order, since bytes count', second: { body: '{"pages":2,"text":"Tea"}' } },
    { what: 'another blank', second: { body: '{"text":"Tea", "pages":2}' } },
    { what: 'a line end behind it', second: { body: `${tea}\n` } },
    { what: 'an escape in place of a letter', second: { body: '{"text":"\\u0054ea","pages":2}' } },
  ])('$what', ({ what, first = {}, second }) => expectRefused(what, first, second))

  test('the same route below a prefix', async () => {
    const second = await testService({ databaseUrl, features: [at('/v2', feature)] })
    const [here, there] = [await caller('erin'), await caller('erin', await second.as('erin'))]
    await expectJson(await here())
    await expectProblem(await there({ path: '/v2/notes' }), 422, 'IDEMPOTENCY_KEY_REUSED')
  })
})

describe('a form', () => {
  interface Part {
    readonly name: string
    readonly value: string
    readonly file?: string
    readonly type?: string
  }
  const title: Part = { name: 'title', value: 'Tea' }
  const file: Part = { name: 'file', value: 'leaf\0leaf', file: 'tea.txt', type: 'text/plain' }
  const hot: Part = { name: 'note', value: 'hot' }

  /** A form as bytes, its boundary chosen by the test. */
  function multipart(boundary: string, ...parts: Part[]): Sent {
    const lines = parts.flatMap(({ name, value, file, type }) => [
      `--${boundary}`,
      `Content-Disposition: form-data; name="${name}"${file === undefined ? '' : `; filename="${file}"`}`,
      ...(type === undefined ? [] : [`Content-Type: ${type}`]),
      '',
      value,
    ])
    const body = [...lines, `--${boundary}--`, ''].join('\r\n')
    return { path: '/forms', body, type: `multipart/form-data; boundary=${boundary}` }
  }

  test('with another boundary is the same request', async () => {
    const send = await caller('boundary')
    const first = await expectJson(await send(multipart('one', title, file)))
    const second = await send(multipart('two', title, file))
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    expect(await expectJson(second)).toEqual(first)
  })

  test.each([
    { what: 'another text', parts: [{ ...title, value: 'Coffee' }, file] },
    { what: 'other bytes in the file', parts: [title, { ...file, value: 'leaf\0lead' }] },
    { what: 'another file name', parts: [title, { ...file, file: 'coffee.txt' }] },
    { what: 'another type of the file', parts: [title, { ...file, type: 'text/html' }] },
    { what: 'a part more', parts: [title, file, hot] },
    { what: 'a part less', parts: [title] },
    { what: 'the parts in another order', parts: [file, title] },
    {
      what: 'bytes that look like a further part',
      parts: [title, { ...file, value: `${file.value}["note","hot"]\n` }],
    },
  ])('with $what is another request', ({ what, parts }) =>
    expectRefused(what, multipart('one', title, file), multipart('one', ...parts)),
  )

  test('is another one where what its file ends with begins the next part', async () => {
    const inFile = multipart('one', title, { ...file, value: 'a["note","hot"]\n' })
    await expectRefused('apart', inFile, multipart('one', title, { ...file, value: 'a' }, hot))
  })

  test('that is simple is known by its bytes', async () => {
    const simple = { path: '/forms', type: 'application/x-www-form-urlencoded', body: 'title=Green+Tea' }
    await expectRefused('simple', simple, { ...simple, body: 'title=Green%20Tea' })
  })

  test.each(['multipart/form-data', 'multipart/form-data; boundary=one', 'multipart/mixed; boundary=""'])(
    'that is none, sent as %s where the route takes none, is known by its bytes',
    async (type) => {
      const sent = { path: '/nothing', type, body: '--one\r\nrubbish' }
      await expectRefused(type, sent, { ...sent, body: '--one\r\nrubble' })
    },
  )
})

test('a request that is refused before its handler does not come to the key', async () => {
  const send = await caller('invalid')
  async function expectInvalid() {
    await expectProblem(await send({ body: '{"text":"Tea"}' }), 400, 'VALIDATION_FAILED')
    await expectProblem(await send({ body: '{"text":' }), 400, 'MALFORMED_REQUEST')
    await expectProblem(await send({ type: 'text/plain' }), 415, 'UNSUPPORTED_MEDIA_TYPE')
  }
  const before = await storedKeys(databaseUrl)
  await expectInvalid()
  expect(await storedKeys(databaseUrl)).toEqual(before)
  await expectJson(await send())
  await expectInvalid()
})

describe('the key of another caller is another key:', () => {
  test.each([
    { what: 'another subject', subject: 'bob' },
    { what: 'a subject that begins alike', subject: 'alice\nk' },
    { what: 'the subject in capitals', subject: 'ALICE' },
  ])('$what', async ({ subject }) => {
    const [alice, other] = [await caller('alice'), await caller(subject)]
    const hers = await expectJson(await alice())
    const theirs = await other()
    expect(theirs.headers.get('idempotency-replayed')).toBeNull()
    expect((await expectJson(theirs)).call).not.toBe(hers.call)
    expect(await expectJson(await alice())).toEqual(hers)
  })

  test('a subject of another issuer', async () => {
    const issuer = 'https://elsewhere.example'
    const elsewhere = await testService({ databaseUrl, features, environment: { AUTH_ISSUER: issuer } })
    const token = await createSigner({ ...testAuth, issuer, ttl: 60 })({ subject: 'carol' })
    const hers = await caller('carol', client(service.app, await as('carol')))
    const theirs = await caller('carol', client(elsewhere.app, { Authorization: `Bearer ${token}` }))
    const first = await expectJson(await hers())
    const other = await theirs({ body: '{"text":"Another","pages":1}' })
    expect(other.headers.get('idempotency-replayed')).toBeNull()
    expect((await expectJson(other)).call).not.toBe(first.call)
  })
})
