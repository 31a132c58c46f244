import { expect } from 'vitest'
import { expectProblem } from '#test/support/expect.ts'
import { test } from '../acceptance.ts'
import { liveSafe, liveSafeWithToken } from '../tags.ts'

test('without a token orders are refused', liveSafe, async ({ anyone }) => {
  const order = { item: 'Teapot', quantity: 2 }
  await expectProblem(await anyone('/orders', { json: order }), 401, 'TOKEN_MISSING')
  await expectProblem(await anyone('/orders'), 401, 'TOKEN_MISSING')
})

test('an order in another type than the contract’s is refused', liveSafeWithToken, async ({ alice }) => {
  const headers = { 'Content-Type': 'text/plain' }
  const response = await alice('/orders', { headers, body: 'two teapots' })
  await expectProblem(response, 415, 'UNSUPPORTED_MEDIA_TYPE')
})

test('a method that orders do not take is a 405, with those that they take', liveSafe, async ({ anyone }) => {
  const response = await anyone('/orders', { method: 'DELETE' })
  expect(response.headers.get('allow')?.split(/, */).sort()).toEqual(['GET', 'HEAD', 'OPTIONS', 'POST'])
  await expectProblem(response, 405, 'METHOD_NOT_ALLOWED')
})

test('a query of the list that is not the contract’s is refused', liveSafeWithToken, async ({ alice }) => {
  await expectProblem(await alice('/orders?limit=0'), 400, 'VALIDATION_FAILED')
  await expectProblem(await alice('/orders?colour=blue'), 400, 'VALIDATION_FAILED')
})
