import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { exemptDatabase } from '#dev/guard/exempt.ts'
import { atEnd } from '#test/support/at-end.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { fakePostgres } from '#test/support/fake-postgres.ts'
import { noteScopes, notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'

const databaseUrl = await makeDatabase()

/** The database's URL with some of its parts replaced. */
function url(parts: Partial<Pick<URL, 'host' | 'password' | 'pathname'>>): string {
  const changed = Object.assign(new URL(databaseUrl), parts).href
  exemptDatabase(changed)
  return changed
}

async function refusing(): Promise<string> {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => void server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A server that refuses every connection with this SQLSTATE. */
async function refusal(code: string): Promise<string> {
  const { server } = await fakePostgres({ port: 0, host: '127.0.0.1' }, code)
  const { port } = server.address() as AddressInfo
  return url({ host: `127.0.0.1:${port}`, password: 'hidden-password' })
}

const unavailable: [what: string, environment: Record<string, string>][] = [
  ['is on a closed port', { DATABASE_URL: url({ host: '127.0.0.1:1' }) }],
  ['is on a host by a name whose port is closed', { DATABASE_URL: url({ host: 'localhost:1' }) }],
  ['closes every connection at once', { DATABASE_URL: url({ host: await refusing() }) }],
  ['does not take the password', { DATABASE_URL: await refusal('28P01') }],
  ['is starting up', { DATABASE_URL: await refusal('57P03') }],
  ['does not know the database', { DATABASE_URL: url({ pathname: '/hidden_name' }) }],
  ['has no socket', { DATABASE_URL: 'postgres://user:hidden-password@/name?host=/nowhere/P:R:I' }],
  ['is not configured', { DATABASE_URL: '' }],
]

describe.each(unavailable)('a database that %s', (_what, environment) => {
  test('is a 503 for a request that needs it, and says nothing of itself', async () => {
    const service = await testService({ databaseUrl, features: [notes], environment })
    const alice = await service.as('alice', noteScopes)
    const pool = service.database.$client
    const requests = [
      () => alice('/notes'),
      () => alice(`/notes/${randomUUID()}`),
      () => alice(`/notes/${randomUUID()}/close`, { method: 'POST' }),
      () => alice('/notes', { json: { text: 'Tea', pages: 1 } }),
      () =>
        alice('/notes', {
          json: { text: 'Tea', pages: 1 },
          headers: { 'Idempotency-Key': 'k' },
        }),
    ]
    for (const request of requests) {
      const response = await request()
      expect(response.headers.get('retry-after')).toBe('5')
      const problem = await expectProblem(response, 503, 'DATABASE_UNAVAILABLE')
      expect(JSON.stringify(problem)).not.toMatch(/hidden|ECONN|ENOENT|127\.0|password|connect/)
    }
    expect({ total: pool.totalCount, waiting: pool.waitingCount }).toEqual({ total: 0, waiting: 0 })
    expect(JSON.stringify(service.lines)).not.toContain('hidden-password')
  })

  test('makes the service not ready, but alive', async () => {
    const { api } = await testService({ databaseUrl, features: [notes], environment })
    const problem = await expectProblem(await api('/ready'), 503, 'NOT_READY')
    expect(problem.detail).toBe('Not ready: database.')
    await expectJson(await api('/ping'))
    await expectJson(await api('/version'))
  })

  test('is still no reason to tell strangers apart: 401, 400 and 404 come first', async () => {
    const { api, as } = await testService({ databaseUrl, features: [notes], environment })
    const alice = await as('alice', noteScopes)
    await expectProblem(await api('/notes'), 401, 'TOKEN_MISSING')
    await expectProblem(await alice('/notes', { json: {} }), 400, 'VALIDATION_FAILED')
    await expectProblem(await alice('/nowhere'), 404, 'NOT_FOUND')
  })
})

test('a database that takes no more connections is a busy one', async () => {
  const service = await testService({
    databaseUrl,
    features: [notes],
    environment: { DATABASE_URL: await refusal('53300') },
  })
  const response = await (await service.as('alice', noteScopes))('/notes')
  expect(response.headers.get('retry-after')).toBe('1')
  await expectProblem(response, 503, 'OVERLOADED')
})

test('a database that comes back is found by the next request', async () => {
  const { pathname } = new URL(databaseUrl)
  const name = `later_${pathname.slice(-8)}`
  const service = await testService({ databaseUrl: url({ pathname: `/${name}` }), features: [] })
  await expectProblem(await service.api('/ready'), 503, 'NOT_READY')
  await onServer(databaseUrl, `create database ${name}`)
  atEnd(() => onServer(databaseUrl, `drop database ${name} with (force)`))
  await expectJson(await service.api('/ready'))
})
