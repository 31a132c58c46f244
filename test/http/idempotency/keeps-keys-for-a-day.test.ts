import { describe, expect, test } from 'vitest'
import { onServer } from '#test/support/database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { type Note, type NotePage, noteScopes, notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'

const service = await testService({ features: [notes] })
const { databaseUrl } = service
const alice = await service.as('alice', noteScopes)

function write(key: string, pages = 1, text = key) {
  return alice('/notes', { json: { text, pages }, headers: { 'Idempotency-Key': key } })
}

/** Makes a key older, as if it had been used that long ago. */
async function age(key: string, interval: string): Promise<void> {
  const statement = 'update runtime.idempotency_keys set created_at = now() - $2::interval where key = $1'
  const { rowCount } = await onServer(databaseUrl, statement, [key, interval])
  expect(rowCount).toBe(1)
}

async function notesOf(text: string): Promise<Note[]> {
  const { items } = await expectJson<NotePage>(await alice('/notes?limit=100'))
  return items.filter((note) => note.text === text)
}

describe('a key', () => {
  test.each([
    { what: 'a UUID', key: '5f0c7a52-7b1b-4a57-9b43-0c1a3a0b7d11' },
    { what: 'one character', key: 'k' },
    { what: '255 characters', key: 'k'.repeat(255) },
    { what: 'a quoted string, as the draft standard writes it', key: '"5f0c7a52"' },
    { what: 'all that ASCII shows', key: '!"#$%&\'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~' },
  ])('may be $what', async ({ what, key }) => {
    const first = await expectJson(await write(key, 1, what), 201)
    expect(await expectJson(await write(key, 1, what), 201)).toEqual(first)
  })

  test.each([
    { what: 'empty', key: '' },
    { what: '256 characters', key: 'k'.repeat(256) },
    { what: 'two words', key: 'two words' },
    { what: 'two keys in a list', key: 'a, b' },
    { what: 'a tab', key: 'a\tb' },
    { what: 'a letter beyond ASCII', key: 'clé' },
    { what: 'a control character', key: 'a\x7f' },
  ])('may not be $what: 400, and nothing is done', async ({ what, key }) => {
    const problem = await expectProblem(await write(key, 1, what), 400, 'VALIDATION_FAILED')
    expect(problem.errors).toMatchObject([{ in: 'header', pointer: '#/idempotency-key' }])
    expect(await notesOf(what)).toEqual([])
  })

  test('tells capitals from small letters', async () => {
    await expectJson(await write('key', 1, 'capitals'), 201)
    await expectJson(await write('KEY', 3, 'capitals'), 201)
    expect(await notesOf('capitals')).toHaveLength(2)
  })
})

test.each(['1 hour', '23 hours 59 minutes 30 seconds'])(
  'after %s a key is still replayed',
  async (interval) => {
    const key = interval.replaceAll(' ', '-')
    const first = await expectJson(await write(key), 201)
    await age(key, interval)
    expect(await expectJson(await write(key), 201)).toEqual(first)
    await expectProblem(await write(key, 2), 422, 'IDEMPOTENCY_KEY_REUSED')
  },
)

test.each(['24 hours', '24 hours 1 second', '400 days'])(
  'after %s a key is replaced by its next use, and kept for another 24 hours',
  async (interval) => {
    const key = interval.replaceAll(' ', '-')
    const first = await expectJson<Note>(await write(key), 201)
    await age(key, interval)
    const next = await write(key)
    expect(next.headers.get('idempotency-replayed')).toBeNull()
    const second = await expectJson<Note>(next, 201)
    expect(second.id).not.toBe(first.id)

    await age(key, '23 hours')
    const third = await write(key)
    expect(third.headers.get('idempotency-replayed')).toBe('true')
    expect(third.headers.get('location')).toBe(`/notes/${second.id}`)
    expect(await expectJson(third, 201)).toEqual(second)
    expect(await notesOf(key)).toHaveLength(2)
  },
)

test('an expired key is free for another request', async () => {
  await expectJson(await write('free'), 201)
  await age('free', '25 hours')
  const other = await expectJson(await write('free', 2), 201)
  expect(await expectJson(await write('free', 2), 201)).toEqual(other)
  await expectProblem(await write('free', 1), 422, 'IDEMPOTENCY_KEY_REUSED')
})

test('each key takes one row, which holds no request: a hash stands for it', async () => {
  const secret = 'a secret in the body'
  await expectJson(await write('rows', 1, secret), 201)
  await age('rows', '25 hours')
  await expectJson(await write('rows', 1, secret), 201)
  await expectJson(await write('rows', 1, secret), 201)
  const { rows } = await onServer(
    databaseUrl,
    `select caller, fingerprint, status, created_at > now() - interval '1 minute' as fresh
      from runtime.idempotency_keys where key = 'rows'`,
  )
  const fingerprint = expect.stringMatching(/^[\w-]{43}$/)
  expect(rows).toEqual([{ caller: '["service","alice"]', fingerprint, status: 201, fresh: true }])
})
