import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import {
  databaseUrl,
  defineFeature,
  defineRoute,
  defineTask,
  enqueue,
  handle,
  handlePlain,
  type Reader,
  variable,
  z,
} from '#runtime'
import {
  as,
  expectJson,
  expectProblem,
  makeDatabase,
  noDatabase,
  onServer,
  taskService,
  testService,
} from '#test/kit'

const build = defineTask({
  name: 'reports.build',
  payload: z.object({}),
  async run({ database }) {
    await database.execute(sql`select 1`)
  },
})
const orderReport = defineRoute({
  ...{ method: 'post', path: '/reports', operationId: 'orderReport', summary: 'Order a report' },
  ...{ security: 'authenticated', idempotent: true, responses: { 202: { description: 'Ordered' } } },
})

/** Reports are read from a replica where there is one. */
const reports = defineFeature({
  name: 'reports',
  description: 'Reports, from the replica.',
  tasks: [build],
  variables: { REPLICA_URL: variable('must be a PostgreSQL URL', databaseUrl, undefined) },
  routes({ database, config, openReader }) {
    const reader: Reader = config.REPLICA_URL
      ? openReader({ name: 'replica', url: config.REPLICA_URL, pool: 2 })
      : database
    const nameIn = async (where: Reader) =>
      (await where.execute<{ name: string }>(sql`select current_database() as name`)).rows[0]?.name ?? ''
    return [
      handle(orderReport, async (c) => {
        await enqueue(c.var.tx, build, {})
        return c.body(null, 202)
      }),
      handlePlain({ method: 'get', path: '/read', security: 'public' }, async (c) =>
        c.text(await nameIn(reader)),
      ),
      handlePlain({ method: 'get', path: '/slow', security: 'public' }, async (c) => {
        await reader.execute(sql`select pg_sleep(60)`)
        return c.text('never')
      }),
      handlePlain({ method: 'post', path: '/inside', security: 'public' }, async (c) => {
        await database.transaction(() => nameIn(reader))
        return c.text('never')
      }),
    ]
  },
})

const replica = await makeDatabase()
const nameOf = (url: string) => new URL(url).pathname.slice(1)
const start = (environment: Record<string, string>) => testService({ features: [reports], environment })
/** What runs on the replica, but for this question. */
const running = async () => {
  const { rows } = await onServer(
    replica,
    "select state, query from pg_stat_activity where datname = current_database() and application_name like '% replica'",
  )
  return rows
}

test('a feature reads from the replica, and from the database where there is none', async () => {
  const { api } = await start({ REPLICA_URL: replica })
  expect(await (await api('/read')).text()).toBe(nameOf(replica))
  const alone = await start({})
  expect(await (await alone.api('/read')).text()).toBe(nameOf(alone.databaseUrl))
})

test('readiness waits for it by name', async () => {
  const { api } = await start({ REPLICA_URL: replica })
  expect(await expectJson(await api('/ready'))).toEqual({
    status: 'ok',
    checks: { database: 'ok', replica: 'ok' },
  })
  const away = await start({ REPLICA_URL: noDatabase })
  expect(await expectProblem(await away.api('/ready'), 503, 'NOT_READY')).toMatchObject({
    detail: 'Not ready: replica.',
  })
  await expectProblem(await away.api('/read'), 503, 'DATABASE_UNAVAILABLE')
})

test('the runtime does not use it: routes, idempotency and tasks go on without it', async () => {
  const service = await taskService({ features: [reports], environment: { REPLICA_URL: noDatabase } })
  const headers = { ...(await as('alice')), 'Idempotency-Key': 'one' }
  for (const replayed of [null, 'true']) {
    const response = await service.api('/reports', { method: 'POST', headers })
    expect([response.status, response.headers.get('idempotency-replayed')]).toEqual([202, replayed])
  }
  await service.drain()
  expect(await service.ledger()).toMatchObject([{ name: build.name, state: 'done', attempts: 1 }])
})

test('a statement on it is bounded as on the database', async () => {
  const { api } = await start({ REPLICA_URL: replica, REQUEST_TIMEOUT: '1s' })
  const code = async () => ((await (await api('/slow')).json()) as { code: string }).code
  // on a slow machine the deadline may come first: then once more
  await expect.poll(code, { timeout: 20_000 }).toBe('OVERLOADED')
  await expect.poll(running).not.toContainEqual(expect.objectContaining({ state: 'active' }))
})

test('inside a transaction it is refused, as the database is: the request would hold two connections', async () => {
  const { api, lines } = await start({ REPLICA_URL: replica })
  await expectProblem(await api('/inside', { method: 'POST' }), 500, 'INTERNAL')
  expect(JSON.stringify(lines)).toContain('The database was used inside a transaction')
})

test('it closes with the service', async () => {
  const { api, close } = await start({ REPLICA_URL: replica })
  await (await api('/read')).text()
  expect(await running()).not.toEqual([])
  await close()
  await expect.poll(running).toEqual([])
})

test('two of one name do not start', async () => {
  const twice = (name: string) =>
    defineFeature({
      ...{ name: 'twice', description: 'Two readers.' },
      routes({ openReader }) {
        for (const url of [replica, noDatabase]) openReader({ name, url })
        return []
      },
    })
  for (const name of ['replica', 'database'])
    await expect(testService({ features: [twice(name)], databaseUrl: replica })).rejects.toThrow(
      `Two databases have the name ${name}: rename one.`,
    )
})
