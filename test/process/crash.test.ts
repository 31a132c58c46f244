import { expect, test } from 'vitest'
import { client } from '#test/support/client.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { expectJson } from '#test/support/expect.ts'
import { type Note, type NotePage, noteScopes } from '#test/support/notes.ts'
import { startNotes } from '#test/support/process.ts'
import { lockWaits, openSession } from '#test/support/session.ts'
import { as } from '#test/support/tokens.ts'

test('a process that is killed in the middle of a request leaves no note and no key, and a retry writes it', async () => {
  const databaseUrl = await makeDatabase()
  const headers = await as('alice', noteScopes)
  const request = { json: { text: 'Tea', pages: 1 }, headers: { 'Idempotency-Key': 'once' } }

  const other = await openSession(databaseUrl)
  await other.query('begin')
  await other.query('lock table test_notes in exclusive mode')
  const killed = await startNotes({ DATABASE_URL: databaseUrl })
  const lost = client(killed.url, headers)('/notes', request).catch(() => 'no answer')
  await lockWaits(databaseUrl)
  killed.child.kill('SIGKILL')
  expect(await lost).toBe('no answer')
  await other.query('rollback')

  const next = await startNotes({ DATABASE_URL: databaseUrl })
  const alice = client(next.url, headers)
  let response = await alice('/notes', request)
  for (; response.status === 409; response = await alice('/notes', request)) await response.text() // the server is about to notice
  expect(response.headers.get('idempotency-replayed')).toBeNull()
  const note = await expectJson<Note>(response, 201)
  const { items } = await expectJson<NotePage>(await alice('/notes'))
  expect(items).toEqual([note])
  const { rows } = await onServer(databaseUrl, 'select key from runtime.idempotency_keys')
  expect(rows).toEqual([{ key: 'once' }])
})
