import { sql } from 'drizzle-orm'
import { afterEach, expect, test } from 'vitest'
import { afterCommit } from '#src/runtime/database/transaction.ts'
import { defineFeature } from '#src/runtime/feature.ts'
import { causes } from '#src/runtime/kernel/causes.ts'
import { handlePlain } from '#src/runtime/routes/route.ts'
import { onServer } from '#test/support/database.ts'
import { testService } from '#test/support/service.ts'
import { lockWaits, openSession } from '#test/support/session.ts'
import { write, written } from '#test/support/work.ts'

let client = new AbortController()
const leaving = defineFeature({
  name: 'leaving',
  description: 'A transaction of a request whose client leaves before its end.',
  routes: ({ database }) => [
    handlePlain({ method: 'post', path: '/leave', security: 'public' }, async (c) => {
      await database.transaction(async (tx) => {
        await write(tx, 'left')
        client.abort()
      })
      return c.text('committed')
    }),
    handlePlain({ method: 'post', path: '/wait', security: 'public' }, async (c) => {
      await database.transaction(async (tx) => {
        await tx.execute(sql`select pg_advisory_xact_lock(${42})`)
        await write(tx, 'waited')
      })
      return c.text('committed')
    }),
  ],
})
const { app, database, databaseUrl } = await testService({ features: [leaving] })
const pool = database.$client
const refused = 'A statement of the transaction failed: nothing is committed'

afterEach(() => {
  expect(pool.idleCount).toBe(pool.totalCount)
})

test('what a transaction returns is what its work returned, once it is committed', async () => {
  const result = await database.transaction(async (tx) => {
    await write(tx, 'kept')
    expect(await written(databaseUrl)).not.toContain('kept')
    return 42
  })
  expect(result).toBe(42)
  expect(await written(databaseUrl)).toContain('kept')
})

test('what its work throws is what it throws, once it is rolled back', async () => {
  const error = new Error('no')
  const failed = database.transaction(async (tx) => {
    await write(tx, 'thrown')
    throw error
  })
  await expect(failed).rejects.toBe(error)
  expect(await written(databaseUrl)).not.toContain('thrown')
})

test('where its request has ended meanwhile it commits nothing', async () => {
  client = new AbortController()
  const request = new Request('http://localhost/leave', { method: 'POST', signal: client.signal })
  expect((await app.fetch(request)).status).toBe(499)
  expect(await written(databaseUrl)).not.toContain('left')
})

test('work may roll back by itself', async () => {
  const failed = database.transaction(async (tx) => {
    await write(tx, 'taken back')
    tx.rollback()
  })
  await expect(failed).rejects.toThrow('Rollback')
  expect(await written(databaseUrl)).not.toContain('taken back')
})

test('a statement that failed unseen is not taken for committed: its error was caught', async () => {
  const failed = database.transaction(async (tx) => {
    await write(tx, 'caught')
    await tx.execute(sql`select 1/0`).catch(() => {})
  })
  await expect(failed).rejects.toThrow(refused)
  expect(await written(databaseUrl)).not.toContain('caught')
})

test('a statement after the connection has ended says why it had', async () => {
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  pool.once('acquire', (client) => client.once('error', () => resolve()))
  const failed = database.transaction(async (tx) => {
    const { rows } = await tx.execute(sql`select pg_backend_pid() as pid`)
    await onServer(databaseUrl, 'select pg_terminate_backend($1)', [rows[0]?.pid])
    await ended
    await tx.execute(sql`select 1`)
  })
  const error: unknown = await failed.catch((error) => error)
  expect(causes(error).map((cause) => cause instanceof Error && cause.message)).toContain(
    'terminating connection due to administrator command',
  )
})

test('a statement that failed is not taken for committed: nobody waited for it', async () => {
  const failed = database.transaction(async (tx) => {
    await write(tx, 'unawaited')
    void tx.execute(sql`select 1/0`).catch(() => {})
  })
  await expect(failed).rejects.toThrow(refused)
  expect(await written(databaseUrl)).not.toContain('unawaited')
})

test('its isolation and access are what was asked for', async () => {
  const settings = await database.transaction(
    (tx) =>
      tx.execute(sql`select current_setting('transaction_isolation') as isolation,
      current_setting('transaction_read_only') as read_only`),
    { isolationLevel: 'serializable', accessMode: 'read only' },
  )
  expect(settings.rows).toEqual([{ isolation: 'serializable', read_only: 'on' }])
})

test.each(['commit', 'rollback', 'select 1; commit; select 2'])(
  '%s as a statement is refused, and nothing after it is taken for part of the transaction',
  async (statement) => {
    const work = database.transaction(async (tx) => {
      await expect(tx.execute(sql.raw(statement))).rejects.toMatchObject({
        cause: { message: expect.stringContaining('ended the transaction that it was part of') },
      })
      await tx.execute(sql`select 1`).catch(() => {})
    })
    await expect(work).rejects.toThrow()
    expect(database.$client.idleCount).toBe(database.$client.totalCount)
  },
)

test.each(['begin', 'begin; select 1', 'start transaction read only'])(
  '%s as a statement is refused: the connection is not used by others inside of it',
  async (statement) => {
    await expect(database.execute(sql.raw(statement))).rejects.toMatchObject({
      cause: { message: expect.stringContaining('left a transaction open') },
    })
    const { rows } = await database.execute(sql`select now() = statement_timestamp() as alone`)
    expect(rows).toEqual([{ alone: true }])
  },
)

test('a transaction inside is a savepoint', async () => {
  await database.transaction(async (tx) => {
    await write(tx, 'outside')
    const inner = tx.transaction(async (nested) => {
      await write(nested, 'inside')
      throw new Error('no')
    })
    await expect(inner).rejects.toThrow('no')
  })
  expect(await written(databaseUrl)).toContain('outside')
  expect(await written(databaseUrl)).not.toContain('inside')
})

test('a transaction inside may come before any statement', async () => {
  await database.transaction(async (tx) => {
    const inner = tx.transaction(async (nested) => {
      await write(nested, 'first inside')
      throw new Error('no')
    })
    await expect(inner).rejects.toThrow('no')
    await write(tx, 'after it')
  })
  expect(await written(databaseUrl)).toContain('after it')
  expect(await written(databaseUrl)).not.toContain('first inside')
})

test('statements that begin at once are in one transaction, with and without values', async () => {
  for (const values of [[1], [], [1, 2], []]) {
    const ids = await database.transaction((tx) =>
      Promise.all(
        [...values, 'none'].map((value) =>
          value === 'none'
            ? tx.execute(sql`select pg_current_xact_id()::text as id`)
            : tx.execute(sql`select pg_current_xact_id()::text as id, ${value} as value`),
        ),
      ),
    )
    expect(new Set(ids.map(({ rows }) => rows[0]?.id)).size).toBe(1)
  }
})

test('a transaction without a statement is committed', async () => {
  let committed = false
  const result = await database.transaction(async (tx) => {
    afterCommit(tx, () => {
      committed = true
    })
    return 42
  })
  expect([result, committed]).toEqual([42, true])
  await expect(database.transaction(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
})

test('where BEGIN fails, the first statement is not run, and no later one', async () => {
  const config = { isolationLevel: 'complete' } as never // PostgreSQL refuses it
  const failed = database.transaction(async (tx) => {
    await expect(write(tx, 'outside of it')).rejects.toMatchObject({ cause: { code: '42601' } })
    await expect(write(tx, 'later')).rejects.toMatchObject({ cause: { message: refused } })
    await expect(tx.execute(sql`select 1`)).rejects.toMatchObject({ cause: { message: refused } })
  }, config)
  await expect(failed).rejects.toThrow(refused)
  const withoutValues = database.transaction((tx) => tx.execute(sql`select 1`), config)
  await expect(withoutValues).rejects.toMatchObject({ cause: { code: '42601' } })
  expect(await written(databaseUrl)).not.toContain('outside of it')
  expect(await written(databaseUrl)).not.toContain('later')
})

test('a statement that got its name where BEGIN failed, or where it failed itself, is parsed the next time', async () => {
  const query = (divisor: number) => sql`select 8 / ${divisor}::int as result, ${'named'}::text`
  const run = (divisor: number, config = {}) =>
    database.transaction((tx) => tx.execute(query(divisor)), config).then(({ rows }) => rows[0]?.result)
  expect([await run(1), await run(2)]).toEqual([8, 4])
  for (let count = 0; count < 3; count++) {
    await expect(run(1, { isolationLevel: 'complete' })).rejects.toMatchObject({ cause: { code: '42601' } })
    await expect(run(0)).rejects.toMatchObject({ cause: { code: '22012' } })
    expect(await run(4)).toBe(2)
  }
})

test('a first statement that waits is cancelled when its client leaves', async () => {
  const other = await openSession(databaseUrl)
  await other.query('select pg_advisory_lock(42)')
  client = new AbortController()
  const request = new Request('http://localhost/wait', { method: 'POST', signal: client.signal })
  const response = app.fetch(request)
  await lockWaits(databaseUrl, 1)
  client.abort()
  expect((await response).status).toBe(499)
  expect(await written(databaseUrl)).not.toContain('waited')
})

test.each([{}, { isolationLevel: 'complete' } as never])(
  'a transaction whose first statement has failed holds its connection: the database is refused inside it (%j)',
  async (config) => {
    const failed = database.transaction(async (tx) => {
      await tx.execute(sql`select 8 / ${0}::int`).catch(() => {})
      await database.execute(sql`select 1`)
    }, config)
    await expect(failed).rejects.toMatchObject({
      cause: { message: expect.stringContaining('used inside a transaction') },
    })
  },
)
