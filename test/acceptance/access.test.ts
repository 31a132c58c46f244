import { expect } from 'vitest'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { test } from './acceptance.ts'
import { liveSafe, liveSafeWithToken } from './tags.ts'

test('a valid token is taken', liveSafeWithToken, async ({ alice, anyone }) => {
  const version = await expectJson(await anyone('/version'))
  expect(await expectJson(await alice('/auth/version'))).toEqual(version)
})

test('without a token the answer says how to send one', liveSafe, async ({ anyone }) => {
  const response = await anyone('/auth/version')
  expect(response.headers.get('www-authenticate')).toBe('Bearer')
  await expectProblem(response, 401, 'TOKEN_MISSING')
})

test(
  'a token that was changed, or left unsigned, is refused',
  liveSafeWithToken,
  async ({ anyone, token }) => {
    const [header = '', payload = '', signature = ''] = (await token('alice')).split('.')
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url')
    const mallory = Buffer.from('{"sub":"mallory","exp":4102444800}').toString('base64url')
    for (const forged of [
      `${header}.${mallory}.${signature}`,
      `${unsigned}.${payload}.`,
      `${header}.${payload}.`,
    ]) {
      const response = await anyone('/auth/version', { headers: { Authorization: `Bearer ${forged}` } })
      expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"')
      await expectProblem(response, 401, 'TOKEN_INVALID')
    }
  },
)

test('an unknown path is a 404', liveSafe, async ({ anyone }) => {
  await expectProblem(await anyone('/nowhere'), 404, 'NOT_FOUND')
})

test(
  'a method that a path does not take is a 405, with those that it takes',
  liveSafe,
  async ({ anyone }) => {
    const response = await anyone('/ping', { method: 'DELETE' })
    expect(response.headers.get('allow')?.split(/, */).sort()).toEqual(['GET', 'HEAD', 'OPTIONS'])
    await expectProblem(response, 405, 'METHOD_NOT_ALLOWED')
  },
)

test('a query that is not the contract’s is refused', liveSafe, async ({ anyone }) => {
  await expectProblem(await anyone('/ping?colour=blue'), 400, 'VALIDATION_FAILED')
})
