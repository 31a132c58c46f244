import { expect, test } from 'vitest'
import { expectJson, expectProblem, testService } from '#test/kit'
import { TemplateItem, TemplateItemPage } from '../../src/template-items/schemas.ts'

const service = await testService()
const scopes = ['template-items:read', 'template-items:write']
const alice = await service.as('alice', scopes)

const create = async (name: string) =>
  expectJson(await alice('/template-items', { json: { name } }), 201, TemplateItem)

test('a template item is created, and shown to its owner', async () => {
  const created = await alice('/template-items', { json: { name: 'First' } })
  const item = await expectJson(created, 201, TemplateItem)
  expect(item.name).toBe('First')
  expect(created.headers.get('Location')).toBe(`/template-items/${item.id}`)
  const shown = await alice(`/template-items/${item.id}`)
  expect(shown.headers.get('ETag')).toBe('"1"')
  expect(await expectJson(shown, 200, TemplateItem)).toEqual(item)
})

test('nobody else sees it', async () => {
  const { id } = await create('Secret')
  const bob = await service.as('bob', scopes)
  await expectProblem(await bob(`/template-items/${id}`), 404, 'TEMPLATE_ITEM_NOT_FOUND')
  expect(await expectJson(await bob('/template-items'), 200, TemplateItemPage)).toEqual({ items: [] })
})

test('the list shows the newest first, page by page', async () => {
  const names = ['One', 'Two', 'Three']
  for (const name of names) await create(name)
  const first = await expectJson(await alice('/template-items?limit=2'), 200, TemplateItemPage)
  expect(first.items.map(({ name }) => name)).toEqual(['Three', 'Two'])
  const next = await alice(`/template-items?limit=1&cursor=${first.nextCursor}`)
  expect((await expectJson(next, 200, TemplateItemPage)).items.map(({ name }) => name)).toEqual(['One'])
})

test('a name is needed, and no other key is taken', async () => {
  const response = await alice('/template-items', { json: { name: '', colour: 'red' } })
  const { errors } = await expectProblem(response, 400, 'VALIDATION_FAILED')
  expect(errors).toHaveLength(2)
})

test('a token with the right scope is needed', async () => {
  await expectProblem(await service.api('/template-items'), 401, 'TOKEN_MISSING')
  const reader = await service.as('alice', ['template-items:read'])
  await expectProblem(await reader('/template-items', { json: { name: 'x' } }), 403, 'SCOPE_MISSING')
})
