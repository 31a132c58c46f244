import { expect, test } from 'vitest'
import { expectJson, runTwice, type TaskService, taskService } from '#test/kit'
import { TemplateItem } from '../../src/template-items/schemas.ts'
import { prepareTemplateItem } from '../../src/template-items/tasks.ts'

async function create(service: TaskService) {
  const alice = await service.as('alice', ['template-items:read', 'template-items:write'])
  const { id } = await expectJson(
    await alice('/template-items', { json: { name: 'First' } }),
    201,
    TemplateItem,
  )
  const show = async () => expectJson(await alice(`/template-items/${id}`), 200, TemplateItem)
  return { id, show }
}

test('a template item is prepared after it was created', async () => {
  const service = await taskService()
  const { id, show } = await create(service)
  await service.expectEnqueued(prepareTemplateItem, { templateItemId: id })
  expect(await show()).not.toHaveProperty('preparedAt')
  await service.drain()
  expect(await show()).toHaveProperty('preparedAt')
})

test('a second attempt changes nothing', async () => {
  await runTwice(prepareTemplateItem, { arrange: create })
})
