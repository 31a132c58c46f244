import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beforeEach, expect, test } from 'vitest'
import { exemptDatabase } from '#dev/guard/exempt.ts'
import { migrate } from '#src/runtime/database/migrate.ts'
import { atEnd } from '#test/support/at-end.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { fakePostgres } from '#test/support/fake-postgres.ts'
import { noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

// A Cloud SQL user that is a service account: its password is an access token, which the server takes by its own.

let right = 'token-1'
const fake = await fakePostgres({ port: 0, host: '127.0.0.1' }, undefined, (password) => password === right)
const { passwords } = fake
const DATABASE_URL = `postgres://svc%40project.iam@127.0.0.1:${(fake.server.address() as AddressInfo).port}/orders`
exemptDatabase(DATABASE_URL)

let granted = 0
let metadata: 'token' | 'silent' | 'none' = 'token'
const server = createServer((request, response) => {
  if (metadata === 'silent') return
  if (metadata === 'none' || request.headers['metadata-flavor'] !== 'Google')
    return response.writeHead(404).end()
  response.setHeader('Metadata-Flavor', 'Google')
  response.end(JSON.stringify({ access_token: `token-${++granted}`, expires_in: 3600 }))
}).listen(0, '127.0.0.1')
await once(server, 'listening')
atEnd(() => {
  server.closeAllConnections()
  server.close()
})
const GCE_METADATA_HOST = `127.0.0.1:${(server.address() as AddressInfo).port}`

/** A service of its own, which has no token yet. */
function service(url = DATABASE_URL) {
  const environment = { DATABASE_URL: url, GCE_METADATA_HOST, REQUEST_TIMEOUT: '8' }
  return testService({ databaseUrl: noDatabase, features: [], environment })
}

beforeEach(() => {
  metadata = 'token'
  granted = 0
  passwords.length = 0
  right = 'token-1'
})

test('logs in with a token, which is asked for once, for all connections', async () => {
  const { api } = await service()
  expect(granted).toBe(0)
  await expectJson(await api('/ready'))
  await Promise.all([1, 2, 3, 4].map(async () => expectJson(await api('/ready'))))
  expect(granted).toBe(1)
  expect(new Set(passwords)).toEqual(new Set(['token-1']))
  expect(fake.connections[0]).toMatchObject({ user: 'svc@project.iam', database: 'orders' })
})

test.each(['silent', 'none'] as const)(
  'where the metadata server is %s, the request ends with a 503, and a later one logs in',
  async (what) => {
    const { api } = await service()
    metadata = what
    await expectProblem(await api('/ready'), 503, 'NOT_READY')
    metadata = 'token'
    await expect.poll(async () => (await api('/ready')).status, { timeout: 60_000 }).toBe(200)
    expect(passwords).toEqual(['token-1'])
  },
)

test('a user with a password has that one, whatever its name', async () => {
  right = 'of-its-own'
  const url = DATABASE_URL.replace('@127', ':of-its-own@127')
  exemptDatabase(url)
  const { api } = await service(url)
  await expectJson(await api('/ready'))
  expect([passwords, granted]).toEqual([['of-its-own'], 0])
})

test('a user of another name has no token', async () => {
  const url = DATABASE_URL.replace('.iam@', '@')
  exemptDatabase(url)
  const { api } = await service(url)
  await expectProblem(await api('/ready'), 503, 'NOT_READY')
  expect([passwords, granted]).toEqual([[''], 0])
})

test('the migrations log in so as well', async () => {
  await expect(migrate(DATABASE_URL, 'migrations', GCE_METADATA_HOST)).rejects.toThrow() // the server has no tables
  expect(passwords).toEqual(['token-1'])
})
