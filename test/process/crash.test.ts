import { expect, test } from 'vitest'
import { client } from '#test/support/client.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { expectJson } from '#test/support/expect.ts'
import type { Order, Page } from '#test/support/orders.ts'
import { startService } from '#test/support/process.ts'
import { lockWaits, openSession } from '#test/support/session.ts'
import { as } from '#test/support/tokens.ts'

test('a process that is killed in the middle of a request leaves no order and no key, and a retry places it', async () => {
  const databaseUrl = await makeDatabase()
  const headers = await as('alice', ['orders:read', 'orders:write'])
  const request = { json: { item: 'Teapot', quantity: 1 }, headers: { 'Idempotency-Key': 'once' } }

  const other = await openSession(databaseUrl)
  await other.query('begin')
  await other.query('lock table orders in exclusive mode')
  const killed = await startService({ DATABASE_URL: databaseUrl })
  const lost = client(killed.url, headers)('/orders', request).catch(() => 'no answer')
  await lockWaits(databaseUrl)
  killed.child.kill('SIGKILL')
  expect(await lost).toBe('no answer')
  await other.query('rollback')

  const next = await startService({ DATABASE_URL: databaseUrl })
  const alice = client(next.url, headers)
  let answer = await alice('/orders', request)
  for (; answer.status === 409; answer = await alice('/orders', request)) await answer.text() // the server is about to notice
  expect(answer.headers.get('idempotency-replayed')).toBeNull()
  const order = await expectJson<Order>(answer, 201)
  const { items } = await expectJson<Page>(await alice('/orders'))
  expect(items).toEqual([order])
  const { rows } = await onServer(databaseUrl, 'select key from idempotency_keys')
  expect(rows).toEqual([{ key: 'once' }])
})
