import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { expectProblem } from '#test/support/expect.ts'
import { trial } from './trial.ts'

// An attempt's queries end with the attempt, and what became of it is written all the same.

const stopping = new AbortController()
const reading = defineTask({
  name: 'ends.reading',
  payload: z.object({}),
  async run({ database }) {
    await database.execute(sql`select pg_sleep(3600) as reading`)
  },
})
const written = defineTask({
  name: 'ends.written',
  payload: z.object({}),
  run: async ({ database }) => {
    return (tx) => Promise.all([tx.execute(sql`select 1`), database.execute(sql`select 1`)])
  },
})
const service = await trial({ tasks: [reading, written], stopping: stopping.signal })
const { ledger, query } = service
const running = () =>
  query("select pid from pg_stat_activity where state = 'active' and query like '%as reading'")

test('an effect that reads past its transaction fails with a message that says what to write instead', async () => {
  const { id } = await service.request((tx) => enqueue(tx, written, {}))
  await service.callback({ name: written.name, id, dispatch: 1 })
  expect(await ledger()).toMatchObject([
    {
      state: expect.stringMatching(/pending|queued/),
      last_error: expect.stringContaining('Use the transaction'),
    },
  ])
  await service.clear()
})

test('a process that stops (SIGTERM) ends the query of an attempt, and gives the task back', async () => {
  const { id } = await service.request((tx) => enqueue(tx, reading, {}))
  const response = service.callback({ name: reading.name, id, dispatch: 1 })
  await expect.poll(async () => (await running()).length).toBe(1)
  stopping.abort()
  await expectProblem(await response, 409, 'RUNTIME_TASK_BUSY')
  await expect.poll(running).toEqual([])
  expect(await ledger()).toMatchObject([{ state: 'queued', attempts: 0 }])
  const { database } = service
  expect(database.$client.idleCount).toBe(database.$client.totalCount)
})
