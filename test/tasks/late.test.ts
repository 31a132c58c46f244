import { beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { warnOfBacklog } from '#src/runtime/tasks/tick-warnings.ts'
import { trial } from './trial.ts'

// Which tasks are late, so that the alert `tasks-late` fires.

const work = defineTask({ name: 'trial.work', payload: z.object({}), async run() {} })
const service = await trial({ tasks: [work] })
const { query, database, log, lines } = service

beforeEach(() => service.clear())

/** A task that was due long ago, with these columns. Resolves with the warnings of late tasks. */
async function warningsOf(state: string, limitSlot: number | null, touchedMinutesAgo: number) {
  await query(
    `insert into runtime.tasks (id, name, payload, state, due_at, limit_key, limit_slot, touched_at)
     select gen_random_uuid(), 'trial.work', '{}', $1, runtime.service_now() - interval '1 h', '', $2::smallint,
       runtime.service_now() - $3 * interval '1 min'`,
    [state, limitSlot, touchedMinutesAgo],
  )
  await warnOfBacklog(database, log)
  return lines.filter(({ code }) => code === 'RUNTIME_TASKS_LATE')
}

test.each<[string, string, number | null, number, boolean]>([
  ['nobody has sent', 'pending', null, 0, true],
  ['waits for its retry, and was due long ago', 'pending', 3, 0, true],
  ['is set aside by its limit', 'pending', -1, 60, false],
  ['was woken a minute ago', 'pending', 0, 1, false],
  ['was woken long ago', 'pending', 0, 11, true],
  ['was sent a minute ago', 'queued', null, 1, false],
  ['was sent long ago', 'queued', null, 11, true],
])('a task that %s', async (_what, state, limitSlot, minutes, isLate) => {
  expect(await warningsOf(state, limitSlot, minutes)).toHaveLength(isLate ? 1 : 0)
})

test('a late task is found behind those that are set aside', async () => {
  await warningsOf('pending', -1, 60)
  const late = await warningsOf('pending', null, 20)
  expect(late).toEqual([expect.objectContaining({ task: { name: 'trial.work' }, lateSeconds: 3600 })])
})
