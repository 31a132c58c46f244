import { readFile } from 'node:fs/promises'
import { expect } from 'vitest'
import {
  runtimeGetReadiness,
  runtimeGetVersion,
  runtimeGetVersionAuthenticated,
  runtimePing,
} from '#openapi/client.ts'
import { expectJson, type Json } from '#test/support/expect.ts'
import { by, expectRefusal, expectStatus, test } from './acceptance.ts'
import { liveSafe } from './tags.ts'

test('the process is alive and ready', liveSafe, async ({ anyone }) => {
  expect(expectStatus(await runtimePing(by(anyone)), 200).data).toEqual({ status: 'ok' })
  const { data } = expectStatus(await runtimeGetReadiness(by(anyone)), 200)
  expect(data).toMatchObject({ status: 'ok', checks: { database: 'ok' } })
})

test('it says which build is running', liveSafe, async ({ anyone }) => {
  expect(expectStatus(await runtimeGetVersion(by(anyone)), 200).data).toEqual({
    service: expect.stringMatching(/./),
    revision: expect.stringMatching(/./),
    version: expect.stringMatching(/./),
    commit: expect.stringMatching(/./),
    environment: expect.stringMatching(/^(development|staging|live)$/),
  })
})

test('who has no token is told so', liveSafe, async ({ anyone }) => {
  await expectRefusal(await runtimeGetVersionAuthenticated(by(anyone)), 401, 'TOKEN_MISSING')
})

test(
  'it answers by the contract in the repository, and shows it to any origin',
  liveSafe,
  async ({ anyone }) => {
    const response = await anyone('/openapi.json', { headers: { Origin: 'https://docs.example' } })
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    const shown = await expectJson(response)
    const committed = JSON.parse(await readFile('openapi/openapi.json', 'utf8'))
    expect(comparable(shown)).toEqual(comparable(committed))
  },
)

test('every answer has a request id, the caller’s own if there is one', liveSafe, async ({ anyone }) => {
  const own = await anyone('/ping', { headers: { 'X-Request-Id': 'acceptance-1' } })
  expect(own.headers.get('x-request-id')).toBe('acceptance-1')
  const [one, other] = [await anyone('/ping'), await anyone('/nowhere')]
  expect(one.headers.get('x-request-id')).toMatch(/./)
  expect(other.headers.get('x-request-id')).toMatch(/./)
  expect(one.headers.get('x-request-id')).not.toBe(other.headers.get('x-request-id'))
})

test('answers carry the headers that protect browsers', liveSafe, async ({ anyone }) => {
  const { headers } = await anyone('/ping')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('x-frame-options')).toBe('SAMEORIGIN')
  expect(headers.get('referrer-policy')).toBe('no-referrer')
})

test('long answers are compressed for those who can read them', liveSafe, async ({ anyone }) => {
  const { headers } = await anyone('/openapi.json', { headers: { 'Accept-Encoding': 'gzip' } })
  expect(headers.get('content-encoding')).toBe('gzip')
  expect(headers.get('vary')).toMatch(/accept-encoding/i)
})

test('HEAD answers as GET does, without a body', liveSafe, async ({ anyone }) => {
  const response = await anyone('/version', { method: 'HEAD' })
  expect(response.status).toBe(200)
  expect(await response.text()).toBe('')
})

/** The contract without what the configuration changes: the server, the version, a cookie for the token. */
function comparable(document: Json): unknown {
  const { servers: _servers, info, ...rest } = document
  const { version: _version, ...said } = info as Json
  const text = JSON.stringify({ ...rest, info: said }, (key, value) => {
    if (key === 'cookie' || key === '403') return undefined
    if (key === 'security') return value.filter((way: Json) => !('cookie' in way))
    return value
  })
  return JSON.parse(text)
}
