import { expect, test } from 'vitest'
import { expectJson, expectProblem } from '#test/kit'
import { sharedLab } from './lab.ts'

const lab = sharedLab()
const id = '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f'

test('a 204 has no body', async () => {
  const response = await lab.api('/things/1', { method: 'DELETE' })
  expect(response.status).toBe(204)
  expect(await response.text()).toBe('')
})

test.each([
  ['GET', `/things/${id}`, { id }],
  ['POST', `/things/${id}:archive`, { id }],
  ['POST', '/things:import', {}],
  ['GET', '/things/summary', {}],
  ['GET', '/reports/5.csv', { id: '5' }],
  ['GET', '/reports/a%2Fb%20%E6%9D%B1.csv', { id: 'a/b 東' }],
  ['GET', '/pairs/x-y-z', { a: 'x-y', b: 'z' }],
  ['GET', '/nested/tea/things/1', { shop: 'tea', id: '1' }],
  ['GET', '/nested/%E6%9D%B1%E4%BA%AC/things/%25', { shop: '東京', id: '%' }],
])('%s %s reaches its route, with its parameters', async (method, path, params) => {
  expect(await expectJson(await lab.api(path, { method }))).toEqual({ params })
})

test('a plain route below a prefix finds both parameters', async () => {
  expect(await (await lab.api('/nested/tea/hooks/paid', { method: 'POST' })).json()).toEqual({
    shop: 'tea',
    name: 'paid',
  })
})

test.each([
  ['GET', '/things/redrive', 'POST, OPTIONS'],
  ['DELETE', '/things/redrive', 'POST, OPTIONS'],
  ['GET', `/things/${id}:archive`, 'POST, OPTIONS'],
  ['DELETE', '/things/summary', 'GET, HEAD, OPTIONS'],
  ['POST', `/things/${id}`, 'DELETE, GET, HEAD, OPTIONS'],
  ['POST', '/tree/x', 'PUT, GET, HEAD, OPTIONS'],
  ['PUT', '/tree/x/y', 'GET, HEAD, OPTIONS'],
])('%s %s is a 405 that says what the path takes', async (method, path, allow) => {
  const response = await lab.api(path, { method })
  expect(response.headers.get('allow')).toBe(allow)
  await expectProblem(response, 405, 'METHOD_NOT_ALLOWED')
})

test.each([
  ['GET', '/reports/5.pdf'],
  ['GET', '/reports/.csv'],
  ['POST', '/things:export'],
  ['GET', '/pairs/xy'],
])('%s %s is nobody’s', async (method, path) => {
  await expectProblem(await lab.api(path, { method }), 404, 'NOT_FOUND')
})

test.each(['/things/rubbish', '/things/redriven'])('%s is a bad id, not another method', async (path) => {
  await expectProblem(await lab.api(path), 400, 'VALIDATION_FAILED')
})
