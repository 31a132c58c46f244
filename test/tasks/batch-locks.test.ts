import { expect, test } from 'vitest'
import { z } from 'zod'
import { enqueueMany } from '#src/runtime/tasks/enqueue-many.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { lockWaits, openSession } from '#test/support/session.ts'
import { trial } from './trial.ts'

// Transactions that change the counters of one batch wait for each other in one order only.

const child = defineTask({ name: 'trial.child', payload: z.object({}), async run() {} })
const { request, query, as, databaseUrl } = await trial({ tasks: [child] })
const operator = await as('operator', ['runtime:admin'])

const digitOf = (id: string) => id.slice(-1)

test('a redrive of many tasks, while one of their batch ends', async () => {
  const { id, taskIds } = await request((tx) => enqueueMany(tx, child, Array(200).fill({})))
  // two of one counter, and an earlier one of another: the redrive opens the other counter first
  const [ending = '', late = ''] = taskIds
    .filter((one) => digitOf(one) === digitOf(taskIds.at(-1) ?? ''))
    .slice(-2)
  const early = taskIds.find((one) => digitOf(one) !== digitOf(late)) ?? ''
  await query("update runtime.tasks set state = 'dead', finished_at = now() where id = any($1)", [
    [early, late],
  ])
  const others = taskIds.filter((one) => ![ending, early, late].includes(one))
  await query("update runtime.tasks set state = 'done', finished_at = now() where id = any($1)", [others])

  const [holder, end] = await Promise.all([openSession(databaseUrl), openSession(databaseUrl)])
  await holder.query('begin')
  await holder.query(
    `select from runtime.batch_counts where batch_id = '${id}' and slot = ${parseInt(digitOf(late), 16)} for update`,
  )
  const ended = end.query(`update runtime.tasks set state = 'done' where id = '${ending}'`)
  await lockWaits(databaseUrl)
  const redriven = operator(`/runtime/tasks/redrive?name=${child.name}`, { method: 'POST' })
  await lockWaits(databaseUrl, 2)
  await holder.query('commit')

  expect((await ended).rowCount).toBe(1)
  expect(await (await redriven).json()).toMatchObject({ redriven: 2 })
  // the end came first, and the batch with it
  expect(await query('select open from runtime.batches')).toEqual([{ open: 0 }])
})
