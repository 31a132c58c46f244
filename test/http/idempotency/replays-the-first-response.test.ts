import { z } from '@hono/zod-openapi'
import { beforeEach, describe, expect, test } from 'vitest'
import { defineRoute, handle, json } from '#src/runtime/routes/route.ts'
import { makeDatabase } from '#test/support/database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf } from '#test/support/feature.ts'
import { type Note, type NotePage, noteScopes, notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'
import { type Work, workFeature, write, written } from '#test/support/work.ts'

let handler: Work
let calls = 0
const long = '茶🫖"\\\u0000 '.repeat(1000)

/** Idempotent routes by their methods, which say how often a handler ran. */
const methods = ['post', 'put', 'patch', 'delete'] as const
const routes = methods.map((method) =>
  handle(
    defineRoute({
      method,
      path: '/act',
      operationId: method,
      summary: 'Take nothing, say much',
      security: 'authenticated',
      idempotent: true,
      responses: { 200: json('Much', z.object({ call: z.int(), text: z.string() }), { ETag: 'Version' }) },
    }),
    (c) => c.json({ call: ++calls, text: long }, 200, { ETag: '"7"' }),
  ),
)
const databaseUrl = await makeDatabase()
const features = [notes, featureOf(...routes), workFeature(() => handler)]
const service = await testService({ databaseUrl, features })
const tea = { text: 'Tea', pages: 2 }
const asJson = { 'Content-Type': 'application/json' }

async function caller(subject: string) {
  const api = await service.as(subject, noteScopes)
  return {
    api,
    write: (key: string) => api('/notes', { json: tea, headers: { 'Idempotency-Key': key } }),
    send: (headers: Record<string, string>) =>
      api('/notes', {
        body: JSON.stringify(tea),
        headers: { ...asJson, 'Idempotency-Key': 'k', ...headers },
      }),
    async count() {
      return (await expectJson<NotePage>(await api('/notes?limit=100'))).items.length
    },
  }
}

test('without a key each request is another one', async () => {
  const { api, count } = await caller('nokey')
  const responses = [await api('/notes', { json: tea }), await api('/notes', { json: tea })]
  const [first, second] = await Promise.all(responses.map((response) => expectJson<Note>(response, 201)))
  expect(first?.id).not.toBe(second?.id)
  expect(responses.map(isReplayed)).toEqual([false, false])
  expect(await count()).toBe(2)
})

describe('the same key and request', () => {
  test('get the first response: status, body, where it is and its type', async () => {
    const { write, count } = await caller('replay')
    const [first, second] = [await write('k'), await write('k')]
    expect([first, second].map(isReplayed)).toEqual([false, true])
    expect(second.status).toBe(201)
    for (const name of ['location', 'content-type', 'content-length', 'etag']) {
      expect(first.headers.get(name)).not.toBeNull()
      expect(second.headers.get(name)).toBe(first.headers.get(name))
    }
    expect(await second.text()).toBe(await first.text())
    expect(await count()).toBe(1)
  })

  test('get headers of their own beside: the request id, and what protects browsers', async () => {
    const { send } = await caller('headers')
    await (await send({})).text()
    const second = await send({ 'X-Request-Id': 'second' })
    expect(second.headers.get('x-request-id')).toBe('second')
    expect(second.headers.get('x-content-type-options')).toBe('nosniff')
    await expectJson(second, 201)
  })

  test('get the first response although the note has changed since', async () => {
    const { api, write } = await caller('changed')
    const first = await expectJson<Note>(await write('k'), 201)
    await expectJson(await api(`/notes/${first.id}/close`, { method: 'POST' }))
    const second = await write('k')
    expect(await expectJson(second, 201)).toEqual({ ...first, status: 'open' })
    expect(second.headers.get('etag')).toBe('"1"')
  })

  test('may come with other headers: a new trace, another encoding, a charset', async () => {
    const { send, count } = await caller('other-headers')
    await (await send({})).text()
    const others: Record<string, string>[] = [
      { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` },
      { 'Accept-Encoding': 'gzip' },
      { 'Content-Type': 'application/json; charset=utf-8' },
    ]
    for (const headers of others) {
      const response = await send(headers)
      expect(isReplayed(response)).toBe(true)
      await expectJson(response, 201)
    }
    expect(await count()).toBe(1)
  })

  test('may come with another token of the same caller', async () => {
    const { write } = await caller('refresh')
    const note = await expectJson(await write('k'), 201)
    const api = await service.as('refresh', [...noteScopes, 'more'])
    const second = await api('/notes', { json: tea, headers: { 'Idempotency-Key': 'k' } })
    expect(await expectJson(second, 201)).toEqual(note)
  })

  test('may come to another instance of the service', async () => {
    const other = await (await testService({ databaseUrl, features })).as('instances', noteScopes)
    const { write } = await caller('instances')
    const note = await expectJson(await write('k'), 201)
    const second = await other('/notes', { json: tea, headers: { 'Idempotency-Key': 'k' } })
    expect(isReplayed(second)).toBe(true)
    expect(await expectJson(second, 201)).toEqual(note)
  })

  test('are refused where the caller may not write any more', async () => {
    const { write } = await caller('demoted')
    await expectJson(await write('k'), 201)
    const api = await service.as('demoted', ['notes:read'])
    const second = await api('/notes', { json: tea, headers: { 'Idempotency-Key': 'k' } })
    await expectProblem(second, 403, 'SCOPE_MISSING')
  })
})

describe('without a body', () => {
  const act = async (method: string, key: string, headers: Record<string, string> = {}) =>
    (await caller('actor')).api('/act', { method, headers: { 'Idempotency-Key': key, ...headers } })

  test.each(methods)('a long response to %s is replayed to the letter', async (method) => {
    const [first, second] = [await act(method.toUpperCase(), method), await act(method.toUpperCase(), method)]
    const text = await first.text()
    expect(JSON.parse(text).text).toBe(long)
    expect(isReplayed(second)).toBe(true)
    expect(await second.text()).toBe(text)
  })

  test('a long response is replayed compressed to a client that takes gzip, and plain to others', async () => {
    const ask = (encoding: string) => act('POST', 'gzip', { 'Accept-Encoding': encoding })
    const [first, second, plain] = [await ask('gzip'), await ask('gzip'), await ask('identity')]
    for (const response of [first, second]) {
      expect(response.headers.get('content-encoding')).toBe('gzip')
      expect(Number(response.headers.get('content-length'))).toBeLessThan(1000)
      expect(response.headers.get('etag')).toBe('W/"7"')
      expect(response.headers.get('vary')).toBe('Accept-Encoding')
    }
    expect(isReplayed(second)).toBe(true)
    expect(plain.headers.get('content-encoding')).toBeNull()
    expect(plain.headers.get('etag')).toBe('"7"')
    const text = await unzipped(first)
    expect(JSON.parse(text).text).toBe(long)
    expect(await unzipped(second)).toBe(text)
    expect(await plain.text()).toBe(text)
  })
})

describe('a success is stored and replayed:', () => {
  let runs = 0

  beforeEach(() => {
    runs = 0
  })

  /** Sends the same request twice to a handler that runs once. */
  async function workTwice(work: Work, key: string): Promise<Response[]> {
    handler = async (c) => {
      if (++runs > 1) throw new Error('The handler ran twice')
      await write(c.var.tx, key)
      return work(c)
    }
    const api = await service.as('worker')
    const ask = () => api('/work', { json: {}, headers: { 'Idempotency-Key': key } })
    const responses = [await ask(), await ask()]
    expect(responses.map(isReplayed)).toEqual([false, true])
    expect((await written(databaseUrl)).filter((text) => text === key)).toHaveLength(1)
    return responses
  }

  test.each([200, 201, 202] as const)('a %i', async (status) => {
    const work: Work = async (c) => c.json({ status }, status)
    for (const response of await workTwice(work, `status-${status}`))
      expect(await expectJson(response, status)).toEqual({ status })
  })

  test('a redirect, which responds to a form', async () => {
    for (const response of await workTwice(async (c) => c.redirect('/else', 303), 'redirect'))
      expect([response.status, response.headers.get('location')]).toEqual([303, '/else'])
  })

  test('a 201 without its cookie: the caller may have a newer one', async () => {
    const work: Work = async (c) => {
      c.header('Set-Cookie', 'session=1')
      return c.json({}, 201, { 'Content-Language': 'en' })
    }
    const [first, second] = await workTwice(work, 'cookie')
    expect(first?.headers.getSetCookie()).toEqual(['session=1'])
    expect(second?.headers.getSetCookie()).toEqual([])
    expect(second?.headers.get('content-language')).toBe('en')
  })

  test('a 204, without a body', async () => {
    for (const response of await workTwice(async (c) => c.body(null, 204), 'no-content')) {
      expect(response.status).toBe(204)
      expect(response.headers.get('content-length')).toBeNull()
      expect(await response.text()).toBe('')
    }
  })
})

test('a route that takes no keys does not look at them', async () => {
  const { api, write } = await caller('close')
  const { id } = await expectJson<Note>(await write('k'), 201)
  for (let time = 0; time < 2; time++) {
    const response = await api(`/notes/${id}/close`, { method: 'POST', headers: { 'Idempotency-Key': '' } })
    expect(isReplayed(response)).toBe(false)
    await expectJson(response)
  }
})

function isReplayed({ headers }: Response): boolean {
  return headers.get('idempotency-replayed') === 'true'
}

function unzipped(response: Response): Promise<string> {
  return new Response(response.body?.pipeThrough(new DecompressionStream('gzip'))).text()
}
