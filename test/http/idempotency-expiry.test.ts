import { expect, test } from 'vitest'
import { onServer } from '#test/support/database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { type Note, type NotePage, noteScopes, notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'

const service = await testService({ features: [notes] })
const { databaseUrl } = service
const alice = await service.as('alice', noteScopes)

function write(key: string, pages = 1) {
  return alice('/notes', { json: { text: key, pages }, headers: { 'Idempotency-Key': key } })
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
  'after %s a key is replaced by its next use, and kept for 24 hours again',
  async (interval) => {
    const key = interval.replaceAll(' ', '-')
    const first = await expectJson<Note>(await write(key), 201)
    await age(key, interval)
    const next = await write(key)
    expect(next.headers.get('idempotency-replayed')).toBeNull()
    const second = await expectJson<Note>(next, 201)
    expect(second.id).not.toBe(first.id)

    await age(key, '23 hours')
    const again = await write(key)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(again.headers.get('location')).toBe(`/notes/${second.id}`)
    expect(await expectJson(again, 201)).toEqual(second)
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

test('each use takes one row: the table grows with the keys, not with the requests', async () => {
  await expectJson(await write('rows'), 201)
  await age('rows', '25 hours')
  await expectJson(await write('rows'), 201)
  await expectJson(await write('rows'), 201)
  const { rows } = await onServer(
    databaseUrl,
    "select caller, status, created_at > now() - interval '1 minute' as fresh from runtime.idempotency_keys where key = 'rows'",
  )
  expect(rows).toEqual([{ caller: '["runway","alice"]', status: 201, fresh: true }])
})

test('the row holds no request: a hash stands for it', async () => {
  const text = 'a secret in the body'
  await expectJson(
    await alice('/notes', { json: { text, pages: 1 }, headers: { 'Idempotency-Key': 'hash' } }),
    201,
  )
  const { rows } = await onServer(
    databaseUrl,
    "select fingerprint from runtime.idempotency_keys where key = 'hash'",
  )
  expect(rows).toEqual([{ fingerprint: expect.stringMatching(/^[\w-]{43}$/) }])
})
