import { expect, test } from 'vitest'
import { expectJson } from '#test/support/expect.ts'
import { sharedLab } from './lab.ts'

const lab = sharedLab()

test('a 204 has no body', async () => {
  const response = await lab.api('/things/1', { method: 'DELETE' })
  expect(response.status).toBe(204)
  expect(await response.text()).toBe('')
})

test('a prefix may have a parameter of its own', async () => {
  const body = await expectJson(await lab.api('/nested/tea/things/1'))
  expect(body).toEqual({ params: { shop: 'tea', id: '1' } })
})
