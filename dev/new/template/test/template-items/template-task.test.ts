import { randomUUIDv7 } from 'node:crypto'
import { expect, test } from 'vitest'
import { enqueue } from '#runtime'
import { runTwice, type TaskService, taskService } from '#test/kit'
import { templateTask } from '../../src/template-items/template-task.ts'

const id = randomUUIDv7()

async function arrange(service: TaskService) {
  await service.database.transaction((tx) => enqueue(tx, templateTask, { id }))
}

test('the task template-items.template-task is done', async () => {
  const service = await taskService()
  await arrange(service)
  await service.drain({ until: '1m' })
  expect(await service.ledger()).toMatchObject([{ name: templateTask.name, state: 'done', attempts: 1 }])
})

test('a second attempt of template-items.template-task changes nothing', async () => {
  await runTwice(templateTask, { arrange })
})
