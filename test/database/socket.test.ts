import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { exemptDatabase } from '#dev/guard/exempt.ts'
import { createDatabase } from '#src/runtime/database/create-database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { fakePostgres } from '#test/support/fake-postgres.ts'
import { noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const root = await mkdtemp(join(tmpdir(), 'socket-'))
afterAll(() => rm(root, { recursive: true }))
const folder = join(root, 'cloudsql/project:europe-west1:main')
await mkdir(folder, { recursive: true })

test.each([
  ['as Cloud Run mounts it', `postgres://app:p%40ss%2Fword@/orders?host=${folder}`],
  ['with its name encoded', `postgres://app:p%40ss%2Fword@/orders?host=${encodeURIComponent(folder)}`],
  ['with a host that does not count', `postgresql://app:p%40ss%2Fword@localhost/orders?host=${folder}`],
])('a unix socket is found %s', async (_how, DATABASE_URL) => {
  const fake = await fakePostgres({ path: join(folder, '.s.PGSQL.5432') })
  exemptDatabase(DATABASE_URL)
  const { api } = await testService({
    databaseUrl: noDatabase,
    features: [],
    environment: { DATABASE_URL, REQUEST_TIMEOUT: '7' },
  })
  await expectJson(await api('/ready'))
  expect(fake.connections).toEqual([
    {
      user: 'app',
      database: 'orders',
      application_name: 'test',
      client_encoding: 'UTF8',
    },
  ])
  fake.server.close() // the next one listens there
})

test('another port is another socket', async () => {
  const DATABASE_URL = `postgres://app@localhost:6543/orders?host=${folder}`
  exemptDatabase(DATABASE_URL)
  const { api } = await testService({ databaseUrl: noDatabase, features: [], environment: { DATABASE_URL } })
  await expectProblem(await api('/ready'), 503, 'NOT_READY')
  await fakePostgres({ path: join(folder, '.s.PGSQL.6543') })
  await expectJson(await api('/ready'))
})

test('nothing is opened before the first request', async () => {
  const fake = await fakePostgres({ port: 0, host: '127.0.0.1' })
  const address = fake.server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const log = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} }
  const url = `postgres://app:pw@127.0.0.1:${port}/orders`
  const database = createDatabase({ url, pool: 3, timeoutSeconds: 1, name: 'lazy', log })
  expect(database.$client.totalCount).toBe(0)
  expect(fake.connections).toEqual([])
  await database.$client.end()
})
