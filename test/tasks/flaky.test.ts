import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineFeature } from '#src/runtime/feature.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { onServer } from '#test/support/database.ts'
import { taskService } from '#test/support/task-service.ts'

const work = defineTask({ name: 'flaky.work', payload: z.object({}), async run() {} })
const feature = defineFeature({ name: 'flaky', description: 'Work.', tasks: [work], routes: () => [] })

test('a tick goes on after a batch of which Cloud Tasks refused some: the rest of the backlog does not wait', async () => {
  const service = await taskService({ features: [feature] })
  await onServer(
    service.databaseUrl,
    `insert into runtime.tasks (id, name, payload, due_at, touched_at)
      select gen_random_uuid(), 'flaky.work', '{}', runtime.service_now(), runtime.service_now() - interval '1 minute'
      from generate_series(1, 450)`,
  )
  service.emulator.faults.set({ createUnavailable: { times: 3 } })
  await service.tick()
  const states = Map.groupBy(await service.ledger(), ({ state }) => state)
  expect([states.get('queued')?.length, states.get('pending')?.length]).toEqual([447, 3])
  await service.advance('1m')
  await service.tick()
  expect(service.emulator.pending()).toHaveLength(450)
})
