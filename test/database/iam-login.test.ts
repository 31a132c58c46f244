import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beforeEach, expect, test } from 'vitest'
import { exemptDatabase } from '#dev/guard/exempt.ts'
import { migrate } from '#src/runtime/database/migrate.ts'
import { atEnd } from '#test/support/at-end.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

// A Cloud SQL user that is a service account: its password is an access token, here that of a user of PostgreSQL.

const serverUrl = await makeDatabase({ empty: true })
const account = `svc-${process.pid}@project.iam`
await onServer(serverUrl, `create role "${account}" login`)
await onServer(serverUrl, `grant all on database ${new URL(serverUrl).pathname.slice(1)} to "${account}"`)
await onServer(serverUrl, `grant all on schema public to "${account}"`)
atEnd(async () => {
  await onServer(serverUrl, `drop owned by "${account}" cascade`)
  await onServer(serverUrl, `drop role "${account}"`)
})

let granted = 0
let metadata: 'token' | 'wrong' | 'silent' = 'token'
const server = createServer((request, response) => {
  if (metadata === 'silent') return
  response.setHeader('Metadata-Flavor', 'Google')
  const token = { access_token: metadata === 'wrong' ? 'wrong' : `token-${++granted}`, expires_in: 3600 }
  response.end(request.headers['metadata-flavor'] === 'Google' ? JSON.stringify(token) : '')
}).listen(0, '127.0.0.1')
await once(server, 'listening')
atEnd(() => {
  server.closeAllConnections()
  server.close()
})
const GCE_METADATA_HOST = `127.0.0.1:${(server.address() as AddressInfo).port}`

const url = new URL(serverUrl)
url.username = encodeURIComponent(account)
url.password = ''
const DATABASE_URL = url.href
exemptDatabase(DATABASE_URL)

/** A service of its own, which has no token yet. The server takes the next token only. */
async function service() {
  await onServer(serverUrl, `alter role "${account}" password 'token-${granted + 1}'`)
  const environment = { DATABASE_URL, GCE_METADATA_HOST, REQUEST_TIMEOUT: '8' }
  return testService({ databaseUrl: noDatabase, features: [], environment })
}

beforeEach(() => {
  metadata = 'token'
})

test('logs in with a token, which is asked for once, and when it is needed', async () => {
  const { api } = await service()
  const before = granted
  await expectJson(await api('/ready'))
  await Promise.all([1, 2, 3, 4].map(async () => expectJson(await api('/ready'))))
  expect(granted).toBe(before + 1)
})

test.each(['wrong', 'silent'] as const)(
  'where the token is %s, the request ends with a 503, and the next one asks again',
  async (what) => {
    const { api } = await service()
    metadata = what
    await expectProblem(await api('/ready'), 503, 'NOT_READY')
    metadata = 'token'
    if (what === 'wrong') return // a token that PostgreSQL refuses is kept, as Google's are good for an hour
    await onServer(serverUrl, `alter role "${account}" password 'token-${granted + 1}'`)
    await expect.poll(async () => (await api('/ready')).status, { timeout: 60_000 }).toBe(200)
  },
)

test('a user with a password has that one', async () => {
  const { api } = await service()
  const before = granted
  await onServer(serverUrl, `alter role "${account}" password 'of-its-own'`)
  const own = new URL(DATABASE_URL)
  own.password = 'of-its-own'
  exemptDatabase(own.href)
  const environment = { DATABASE_URL: own.href, GCE_METADATA_HOST }
  const other = await testService({ databaseUrl: noDatabase, features: [], environment })
  await expectJson(await other.api('/ready'))
  await expectProblem(await api('/ready'), 503, 'NOT_READY')
  expect(granted).toBe(before + 1)
})

test('the migrations are applied so as well', async () => {
  await onServer(serverUrl, `alter role "${account}" password 'token-${granted + 1}'`)
  const applied = await migrate(DATABASE_URL, 'migrations', GCE_METADATA_HOST)
  expect(applied.runtime).toBeGreaterThan(0)
})
