import { describe, expect, test } from 'vitest'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { type Note, type NotePage, noteScopes, notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'
import { storedKeys } from '#test/support/work.ts'

const service = await testService({ features: [notes] })
const { databaseUrl } = service
const tea = { text: 'Tea', pages: 2 }

async function caller(subject: string) {
  const api = await service.as(subject, noteScopes)
  return {
    api,
    write: (key: string, json: unknown = tea) => api('/notes', { json, headers: { 'Idempotency-Key': key } }),
    send: (key: string, body: string, headers: Record<string, string> = {}) =>
      api('/notes', {
        body,
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key, ...headers },
      }),
    async count() {
      return (await expectJson<NotePage>(await api('/notes?limit=100'))).items.length
    },
  }
}

test('without a key each request is another one', async () => {
  const { api, count } = await caller('nokey')
  const answers = [await api('/notes', { json: tea }), await api('/notes', { json: tea })]
  const [first, second] = await Promise.all(answers.map((answer) => expectJson<Note>(answer, 201)))
  expect(first?.id).not.toBe(second?.id)
  expect(answers.map((answer) => answer.headers.get('idempotency-replayed'))).toEqual([null, null])
  expect(await count()).toBe(2)
})

describe('the same key and request', () => {
  test('get the first answer again: status, body, where it is and its type', async () => {
    const { write, count } = await caller('replay')
    const [first, again] = [await write('k'), await write('k')]
    expect(first.headers.get('idempotency-replayed')).toBeNull()
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(again.status).toBe(201)
    for (const name of ['location', 'content-type', 'content-length', 'etag']) {
      expect(first.headers.get(name)).not.toBeNull()
      expect(again.headers.get(name)).toBe(first.headers.get(name))
    }
    expect(await again.text()).toBe(await first.text())
    expect(await count()).toBe(1)
  })

  test('get headers of their own beside: the request id, and what protects browsers', async () => {
    const { send } = await caller('headers')
    await (await send('k', JSON.stringify(tea))).text()
    const again = await send('k', JSON.stringify(tea), { 'X-Request-Id': 'second' })
    expect(again.headers.get('x-request-id')).toBe('second')
    expect(again.headers.get('x-content-type-options')).toBe('nosniff')
    await expectJson(again, 201)
  })

  test('get the first answer although the note has changed since', async () => {
    const { api, write } = await caller('changed')
    const first = await expectJson<Note>(await write('k'), 201)
    await expectJson(await api(`/notes/${first.id}/close`, { method: 'POST' }))
    const again = await write('k')
    expect(await expectJson(again, 201)).toEqual({ ...first, status: 'open' })
    expect(again.headers.get('etag')).toBe('"1"')
  })

  test('may come with other headers: a new trace, another encoding, a charset', async () => {
    const { send, count } = await caller('other-headers')
    const body = JSON.stringify(tea)
    await (await send('k', body)).text()
    const more: Record<string, string>[] = [
      { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` },
      { 'Accept-Encoding': 'gzip' },
      { 'Content-Type': 'application/json; charset=utf-8' },
    ]
    for (const headers of more) {
      const again = await send('k', body, headers)
      expect(again.headers.get('idempotency-replayed')).toBe('true')
      await expectJson(again, 201)
    }
    expect(await count()).toBe(1)
  })

  test('are known again after the caller has got another token', async () => {
    const first = await caller('refresh')
    const note = await expectJson(await first.write('k'), 201)
    const api = await service.as('refresh', [...noteScopes, 'more'])
    const again = await api('/notes', { json: tea, headers: { 'Idempotency-Key': 'k' } })
    expect(await expectJson(again, 201)).toEqual(note)
  })

  test('are refused where the caller may not write any more', async () => {
    const { write } = await caller('demoted')
    await expectJson(await write('k'), 201)
    const api = await service.as('demoted', ['notes:read'])
    const again = await api('/notes', { json: tea, headers: { 'Idempotency-Key': 'k' } })
    await expectProblem(again, 403, 'SCOPE_MISSING')
  })
})

describe('the same key with another body', () => {
  const body = '{"text":"Tea","pages":2}'

  test.each([
    ['another value', '{"text":"Tea","pages":3}'],
    ['the keys in another order: what counts are the bytes', '{"pages":2,"text":"Tea"}'],
    ['another blank', '{"text":"Tea", "pages":2}'],
    ['a line end behind it', `${body}\n`],
    ['an escape in write of a letter', '{"text":"\\u0054ea","pages":2}'],
  ])('(%s) is a 422, and changes nothing', async (what, other) => {
    const { send, count } = await caller(what)
    const first = await expectJson(await send('k', body), 201)
    await expectProblem(await send('k', other), 422, 'IDEMPOTENCY_KEY_REUSED')
    expect(await count()).toBe(1)
    expect(await expectJson(await send('k', body), 201)).toEqual(first)
  })

  test('that is not valid is a 400: it never came to the key', async () => {
    const { send } = await caller('invalid')
    await expectJson(await send('k', body), 201)
    await expectProblem(await send('k', '{"text":"Tea"}'), 400, 'VALIDATION_FAILED')
    await expectProblem(await send('k', '{"text":'), 400, 'MALFORMED_REQUEST')
  })
})

test('a request that is refused before its handler takes no key', async () => {
  const { send, write } = await caller('refused')
  await expectProblem(await send('refused', '{}'), 400, 'VALIDATION_FAILED')
  await expectProblem(
    await send('refused', '[]', { 'Content-Type': 'text/plain' }),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  )
  expect(await storedKeys(databaseUrl)).not.toContain('refused')
  await expectJson(await write('refused'), 201)
})

describe('a key', () => {
  test.each([
    ['a UUID', '5f0c7a52-7b1b-4a57-9b43-0c1a3a0b7d11'],
    ['one character', 'k'],
    ['255 characters', 'k'.repeat(255)],
    ['a quoted string, as the draft standard writes it', '"5f0c7a52"'],
    ['all that ASCII shows', '!"#$%&\'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~'],
  ])('may be %s', async (what, key) => {
    const { write } = await caller(what)
    const first = await expectJson(await write(key), 201)
    expect(await expectJson(await write(key), 201)).toEqual(first)
  })

  test.each([
    ['empty', ''],
    ['256 characters', 'k'.repeat(256)],
    ['two words', 'two words'],
    ['two keys in a list', 'a, b'],
    ['a tab', 'a\tb'],
    ['a letter beyond ASCII', 'clé'],
    ['a control character', 'a\x7f'],
  ])('may not be %s: 400, and nothing is done', async (what, key) => {
    const { write, count } = await caller(what)
    const problem = await expectProblem(await write(key), 400, 'VALIDATION_FAILED')
    expect(problem.errors).toMatchObject([{ in: 'header', pointer: '#/idempotency-key' }])
    expect(await count()).toBe(0)
  })

  test('tells capitals from small letters', async () => {
    const { write, count } = await caller('capitals')
    await expectJson(await write('key'), 201)
    await expectJson(await write('KEY', { ...tea, pages: 3 }), 201)
    expect(await count()).toBe(2)
  })
})

test('a route that does not take keys does not look at them', async () => {
  const { api, write } = await caller('close')
  const { id } = await expectJson<Note>(await write('k'), 201)
  for (let time = 0; time < 2; time++) {
    const answer = await api(`/notes/${id}/close`, { method: 'POST', headers: { 'Idempotency-Key': '' } })
    expect(answer.headers.get('idempotency-replayed')).toBeNull()
    await expectJson(answer)
  }
})
