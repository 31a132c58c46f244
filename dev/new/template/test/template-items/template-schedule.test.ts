import { expect, test } from 'vitest'
import { taskService } from '#test/kit'
import { templateScheduleTask } from '../../src/template-items/template-schedule.ts'

test('the schedule template-items.template-schedule comes once a day', async () => {
  const service = await taskService()
  const done = async () =>
    (await service.ledger()).filter(
      ({ name, state }) => name === templateScheduleTask.name && state === 'done',
    )
  await service.tick() // the first tick notes when the schedule comes next
  for (const count of [1, 2]) {
    await service.advance('1d')
    await service.tick()
    await service.drain()
    expect(await done()).toHaveLength(count)
  }
})
