import type { RequestListener } from 'node:http'
import { beforeEach, expect, test } from 'vitest'
import { as } from '#test/kit'
import { answer, cut, good, startCallTarget } from './call-target.ts'

// `call` in the bundle, as somebody.

const { other, google, ask } = await startCallTarget()
const audiences: string[] = []
let lifetimeSeconds = 3600
beforeEach(() => {
  audiences.length = 0
  google.metadata = (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://metadata')
    expect([pathname, request.headers['metadata-flavor']]).toEqual([
      '/computeMetadata/v1/instance/service-accounts/default/identity',
      'Google',
    ])
    audiences.push(searchParams.get('audience') ?? '')
    const claims = { aud: audiences.at(-1), exp: Math.floor(Date.now() / 1000) + lifetimeSeconds }
    const token = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${audiences.length}`
    response.writeHead(200, { 'Metadata-Flavor': 'Google' }).end(token)
  }
})
const sent = () => {
  const { authorization = '', 'x-serverless-authorization': serverless = '' } =
    other.received.at(-1)?.headers ?? {}
  const audienceOf = (header: string | string[]) =>
    JSON.parse(Buffer.from(`${header}`.split('.')[1] ?? '', 'base64url').toString() || '{}').aud
  return { authorization, serverless, audiences: [audienceOf(authorization), audienceOf(serverless)] }
}
const origin = new URL(other.url).origin

test('the service: an ID token for the origin, fetched once, and again when it was refused', async () => {
  expect(await ask({ as: 'service' })).toEqual(good)
  const first = sent()
  expect(first).toMatchObject({ serverless: '', audiences: [origin, undefined] })
  await Promise.all([ask({ as: 'service' }), ask({ as: 'service' })])
  expect(sent()).toEqual(first)
  expect(audiences).toEqual([origin])
  other.answers = [401]
  expect(await ask({ as: 'service' })).toMatchObject({ status: 401 })
  expect(await ask({ as: 'service' })).toEqual(good)
  expect(audiences).toEqual([origin, origin])
  expect(sent().authorization).not.toBe(first.authorization)
})

test('the service: a token that is about to expire is fetched again', async () => {
  lifetimeSeconds = 300
  const audience = 'https://expiring.example.com'
  await ask({ as: 'service', audience })
  google.later(290_000)
  lifetimeSeconds = 3600
  await ask({ as: 'service', audience })
  expect(audiences).toEqual([audience, audience])
  expect(sent().authorization).toMatch(/\.2$/)
})

test('the caller: its own token, and an ID token beside it for a private service', async () => {
  const { Authorization = '' } = await as('alice', ['orders:read'])
  const options = { as: 'caller', idToken: true, audience: 'https://private.example.com' }
  expect(await ask(options, { Authorization })).toEqual(good)
  expect(sent()).toMatchObject({
    authorization: Authorization,
    serverless: expect.stringMatching(/^Bearer e30\./),
    audiences: [expect.anything(), 'https://private.example.com'],
  })
})

test.each([
  {
    what: 'the caller of a request without a token',
    options: { as: 'caller' },
    error: "this request has none: write as: 'service'",
  },
  {
    what: 'the service, with a header Authorization as well',
    options: { as: 'service', authorization: 'Basic eDp5' },
    error: 'leave out that header, or leave out `as`',
  },
])('$what: nothing is sent, and the error says what to write', async ({ options, error }) => {
  expect(await ask(options)).toEqual({ error: expect.stringContaining(error) })
  expect(other.received).toEqual([])
})

test.each<[string, RequestListener]>([
  ['responds with 404', answer(404)],
  ['is another server', answer(200, {}, 'hello')],
  ['sends no token', answer(200, { 'Metadata-Flavor': 'Google' }, 'hello')],
  ['hangs up', cut],
])('where the metadata server %s, the call fails, and nothing is sent', async (what, metadata) => {
  google.metadata = metadata
  const audience = `https://${what.replaceAll(' ', '-')}.example.com`
  expect(await ask({ as: 'service', audience })).toEqual({
    error: `The service’s ID token for ${audience} cannot be fetched`,
  })
  expect(other.received).toEqual([])
})
