import { beforeEach, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { expectProblem } from '#test/support/expect.ts'
import { notesTable } from '#test/support/notes-table.ts'
import { killConnections } from '#test/support/session.ts'
import { trial } from './trial.ts'

let behave: () => Promise<void> = async () => {}
const note = { id: '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f', owner: 'alice', text: 'done', pages: 1 }
const work = defineTask({
  name: 'trial.work',
  payload: z.object({}),
  async run() {
    await behave()
    return (tx) => tx.insert(notesTable).values(note)
  },
})
const databaseUrl = await makeDatabase()
const service = await trial({ tasks: [work], databaseUrl })
const { ledger, drain, query } = service
const name = new URL(databaseUrl).pathname.slice(1)

/** Takes the database away, or brings it back. */
async function reach(allowed: boolean): Promise<void> {
  if (!allowed) await killConnections(databaseUrl)
  await onServer(inject('serverUrl'), `alter database ${name} allow_connections ${allowed}`)
}

beforeEach(async () => {
  await service.clear()
  await query('delete from test_notes')
  behave = async () => {}
})

test('a callback that finds no database is a 503, and a later one succeeds', async () => {
  const { id } = await service.request((tx) => enqueue(tx, work, {}))
  await reach(false)
  const response = await service.callback({ name: work.name, id, dispatch: 1 })
  expect(await service.tick()).toBe(503)
  await reach(true)
  expect(response.headers.get('retry-after')).toBe('5')
  await expectProblem(response, 503, 'DATABASE_UNAVAILABLE')
  await drain()
  expect(await ledger()).toMatchObject([{ state: 'done', attempts: 1 }])
})

test('one that loses it while it works is a 503; when its lease has run out, another attempt commits, once', async () => {
  const { id } = await service.request((tx) => enqueue(tx, work, {}))
  behave = () => reach(false)
  const response = await service.callback({ name: work.name, id, dispatch: 1 })
  await reach(true)
  await expectProblem(response, 503, 'DATABASE_UNAVAILABLE')
  expect(await ledger()).toMatchObject([{ state: 'running', attempts: 1 }])
  expect(await query('select * from test_notes')).toEqual([])
  behave = async () => {}
  await service.advance('31s')
  await drain()
  expect(await ledger()).toMatchObject([{ state: 'done', attempts: 2 }])
  expect(await query('select id from test_notes')).toEqual([{ id: note.id }])
})

test('connections that died while it worked are replaced, and the attempt succeeds', async () => {
  await service.request((tx) => enqueue(tx, work, {}))
  behave = () => killConnections(databaseUrl)
  await drain()
  expect(await ledger()).toMatchObject([{ state: 'done', attempts: 1 }])
})
