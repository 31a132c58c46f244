import { sql } from 'drizzle-orm'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { exemptDatabase } from '#dev/guard/exempt.ts'
import { createReader } from '#src/runtime/database/reader.ts'
import { defineFeature } from '#src/runtime/feature.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { testServer } from '#test/support/server.ts'
import { tap, through } from '#test/support/tap.ts'
import { silentCloudTasks } from '#test/support/task-variables.ts'
import { as } from '#test/support/tokens.ts'
import { type Work, workFeature, write, written } from '#test/support/work.ts'

// How transactions end whose client has left, or whose connection is lost, at the worst moment.

const direct = await makeDatabase()
const wire = await tap(() => Number(new URL(direct).port))
const databaseUrl = through(direct, wire)
exemptDatabase(databaseUrl)
const later = defineTask({ name: 'ends.later', payload: z.object({}), run: async () => {} })
const tasks = defineFeature({ name: 'ends', description: 'A task.', tasks: [later], routes: () => [] })
let handler: Work = async (c) => c.json({}, 201)
let aborted = Promise.withResolvers<void>()
const { database, dial, lines } = await testServer({
  databaseUrl,
  features: [tasks, workFeature(() => handler)],
  cloudTasks: silentCloudTasks,
  environment: { REQUEST_TIMEOUT: '10' },
})
const pool = database.$client
const { Authorization } = await as('alice')
const request = `POST /work HTTP/1.1\r\nHost: a\r\nAuthorization: ${Authorization}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`

/** Writes a note and enqueues a task. */
const writing =
  (text: string): Work =>
  async (c) => {
    const { tx, signal } = c.var
    signal.addEventListener('abort', () => aborted.resolve())
    await write(tx, text)
    await enqueue(tx, later, {})
    return c.json({}, 201)
  }

/** Resolves with the request's line in the log. */
async function logged(message: string): Promise<void> {
  await expect.poll(() => lines.map((line) => line.message)).toContain(message)
}

async function states(): Promise<string[]> {
  const { rows } = await onServer(direct, 'select state from runtime.tasks')
  return rows.map(({ state }) => state)
}

beforeEach(async () => {
  aborted = Promise.withResolvers()
  lines.length = 0
  await onServer(direct, 'delete from runtime.tasks')
})

describe('COMMIT', () => {
  test('is not cancelled when the client leaves: what is committed is handed over', async () => {
    handler = writing('left')
    const client = dial()
    const passed = wire.at('before', 'commit', async () => {
      client.socket.destroy()
      await aborted.promise
      return 'go on'
    })
    client.send(request)
    await passed
    await logged('POST /work 499')
    expect(await written(direct)).toContain('left')
    expect(await states()).toEqual(['queued'])
    expect(pool.idleCount).toBe(pool.totalCount)
  })

  test('is not sent where the client has left before', async () => {
    const client = dial()
    handler = async (c) => {
      const response = await writing('gone')(c)
      client.socket.destroy()
      await aborted.promise
      return response
    }
    client.send(request)
    await logged('POST /work 499')
    expect(await written(direct)).not.toContain('gone')
    expect(await states()).toEqual([])
    expect(pool.idleCount).toBe(pool.totalCount)
  })

  test('that nobody answers ends with the deadline, and its connection goes', async () => {
    handler = writing('unanswered')
    const gate = Promise.withResolvers<void>()
    const held = wire.at('before', 'commit', () => gate.promise)
    const { status, body } = await dial().send(request).answer()
    expect([status, JSON.parse(body).code]).toEqual([503, 'DEADLINE_EXCEEDED'])
    await expect.poll(() => pool.totalCount).toBe(0)
    gate.resolve()
    await held
    expect(await written(direct)).not.toContain('unanswered')
  })
})

test('who is told that the deadline has passed meets no lock of the handler, which may go on', async () => {
  handler = async (c) => {
    const { tx } = c.var
    await write(tx, 'late')
    await tx.execute(sql`set local statement_timeout = 0`) // else the server's comes before the deadline
    await tx.execute(sql`select pg_sleep(60)`).catch(() => {})
    return c.json({}, 201)
  }
  const order: string[] = []
  const held = wire.at('before', 'rollback', async () => {
    await database.execute(sql`select 1`)
    order.push('ROLLBACK')
    return 'go on'
  })
  expect(await dial().send(request).answer()).toMatchObject({ status: 503 })
  order.push('response')
  await held
  expect(order).toEqual(['ROLLBACK', 'response'])
  expect(pool.idleCount).toBe(pool.totalCount)
})

describe('what went wrong is what is thrown, whatever ROLLBACK meets', () => {
  const lost = () => wire.at('before', 'rollback')

  test('in a transaction', async () => {
    const cut = lost()
    const work = database.transaction((tx) => tx.execute(sql`select 1/0`))
    await expect(work).rejects.toMatchObject({ cause: { code: '22012' } })
    await cut
  })

  test('in a savepoint, and the transaction commits nothing', async () => {
    const cut = lost()
    const work = database.transaction(async (tx) => {
      await write(tx, 'outer')
      const inner = tx.transaction(async () => {
        throw new Error('inner')
      })
      await expect(inner).rejects.toThrow('inner')
    })
    await expect(work).rejects.toThrow()
    await cut
    expect(await written(direct)).not.toContain('outer')
  })

  test('in a reader', async () => {
    const cut = lost()
    await expect(createReader(pool).execute(sql`select 1/0`)).rejects.toMatchObject({
      cause: { code: '22012' },
    })
    await cut
    expect(pool.idleCount).toBe(pool.totalCount)
  })
})

test('a value that cannot be sent is what is thrown, and its connection goes on', async () => {
  const query = sql`select ${{ big: 1n }}::jsonb as value`
  await database.execute(sql`select 1`)
  const before = pool.totalCount
  await expect(database.execute(query)).rejects.toMatchObject({ cause: { name: 'TypeError' } })
  const inside = database.transaction((tx) => tx.execute(query))
  await expect(inside).rejects.toMatchObject({ cause: { name: 'TypeError' } })
  expect(await database.execute(sql`select 1`)).toMatchObject({ rowCount: 1 })
  expect([pool.totalCount, pool.idleCount]).toEqual([before, before])
})

test('a refusal inside a transaction leaves nothing behind that its request could meet', async () => {
  handler = async (c) => {
    await database.execute(sql`select 1`).catch(() => {})
    c.var.signal.addEventListener('abort', () => aborted.resolve())
    client.socket.destroy()
    await aborted.promise
    return c.json({}, 201)
  }
  const client = dial().send(request)
  await logged('POST /work 499')
})

describe('a transaction that is over', () => {
  test('is refused, not sent on a connection that may be another’s', async () => {
    const kept = await database.transaction(async (tx) => tx)
    await expect(kept.execute(sql`select 1`)).rejects.toMatchObject({
      cause: { message: expect.stringContaining('The transaction has ended') },
    })
  })

  test('keeps nobody from the database who began inside it', async () => {
    const gate = Promise.withResolvers<void>()
    const begun = await database.transaction(async () => ({
      after: gate.promise.then(() => database.execute(sql`select 1`)),
    }))
    gate.resolve()
    expect(await begun.after).toMatchObject({ rowCount: 1 })
  })

  test('keeps nobody from it either where a statement of its own has ended it', async () => {
    const gate = Promise.withResolvers<void>()
    let after: Promise<unknown> | undefined
    const failed = database.transaction(async (tx) => {
      after = gate.promise.then(() => database.execute(sql`select 1`))
      await tx.execute(sql`commit`)
    })
    await expect(failed).rejects.toThrow()
    gate.resolve()
    expect(await after).toMatchObject({ rowCount: 1 })
  })
})
