import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { as, expectJson, expectProblem, onServer, testService } from '#test/kit'
import { hashOf, partnerDatabase, stock } from './partner-keys.ts'

const databaseUrl = await partnerDatabase()
const environment = { CORS_ORIGINS: 'https://shop.example', SERVICE_URL: 'https://stock.example' }
const service = await testService({ features: [stock], databaseUrl, environment })
const { api, lines } = service

/** A new key for this partner. */
async function keyFor(partner: string, scopes: readonly string[] = ['stock:read']): Promise<string> {
  const key = randomBytes(32).toString('base64url')
  await onServer(databaseUrl, 'insert into test_partner_keys values ($1, $2, $3, $4)', [
    hashOf(key),
    partner,
    'paid',
    scopes,
  ])
  return key
}
const good = await keyFor('acme')
const poor = await keyFor('poor', [])
const sent = (key: string) => ({ headers: { 'X-Partner-Key': key } })

beforeEach(() => void lines.splice(0))

test('a key says who calls: a handler has what was found, typed', async () => {
  expect(await expectJson(await api('/by-key', sent(good)))).toEqual({
    subject: 'acme',
    issuer: 'api-key:partnerKey',
    plan: 'paid',
  })
  expect(lines.find(({ httpRequest }) => httpRequest)).toMatchObject({
    'logging.googleapis.com/labels': { subject: 'acme' },
  })
  expect(JSON.stringify(lines)).not.toContain(good)
})

test('a route that takes either has its caller, by token or by key', async () => {
  const post = { method: 'POST' }
  const token = await as('alice', ['stock:read'])
  expect(await expectJson(await api('/by-either', { ...post, headers: token }))).toEqual({
    subject: 'alice',
    issuer: 'service',
  })
  expect(await expectJson(await api('/by-either', { ...post, ...sent(good) }))).toMatchObject({
    subject: 'acme',
    plan: 'paid',
  })
})

test('where a request has both, the first that the route states decides', async () => {
  const both = (key: string, token: Record<string, string>) => ({
    headers: { ...token, 'X-Partner-Key': key },
  })
  const token = await as('alice', ['stock:read'])
  const bad = { Authorization: 'Bearer bad' }
  expect(await expectJson(await api('/by-any', both(good, bad)))).toMatchObject({ subject: 'acme' })
  await expectProblem(await api('/by-any', both('bad', token)), 401, 'API_KEY_INVALID')
  const post = { method: 'POST' }
  expect(await expectJson(await api('/by-either', { ...post, ...both('bad', token) }))).toMatchObject({
    subject: 'alice',
  })
  await expectProblem(await api('/by-either', { ...post, ...both(good, bad) }), 401, 'TOKEN_INVALID')
})

describe('who has no key gets a 401 that says what to send', () => {
  const key = 'ApiKey header="X-Partner-Key"'

  test.each([
    {
      ...({ method: 'GET', path: '/by-key', code: 'API_KEY_MISSING', challenge: key } as const),
      detail: 'Send an API key: X-Partner-Key: <key>.',
    },
    {
      ...({
        method: 'POST',
        path: '/by-either',
        code: 'TOKEN_MISSING',
        challenge: `Bearer, ${key}`,
      } as const),
      detail: 'Send a token: Authorization: Bearer <token>. Or: Send an API key: X-Partner-Key: <key>.',
    },
    {
      ...({ method: 'GET', path: '/by-any', code: 'API_KEY_MISSING', challenge: `${key}, Bearer` } as const),
      detail: 'Send an API key: X-Partner-Key: <key>. Or: Send a token: Authorization: Bearer <token>.',
    },
  ])('$method $path: $code', async ({ method, path, code, challenge, detail }) => {
    for (const headers of [{}, { 'X-Partner-Key': '' }]) {
      const response = await api(path, { method, headers })
      expect(response.headers.get('www-authenticate')).toBe(challenge)
      expect(await expectProblem(response, 401, code)).toMatchObject({ detail })
    }
  })

  test('a token is no key', async () => {
    const headers = await as('alice', ['stock:read'])
    await expectProblem(await api('/by-key', { headers }), 401, 'API_KEY_MISSING')
  })

  test.each([
    ['unknown', randomBytes(32).toString('base64url')],
    ['of another case', good.toUpperCase()],
    ['a part of one', good.slice(0, -1)],
    ['its hash', hashOf(good)],
    ['two', `${good}, ${poor}`],
    ['SQL', "' or true --"],
    ['longer than any', 'a'.repeat(513)],
    ['not ASCII', 'sch\u00fcssel'],
  ])('a key that is %s is not valid', async (_what, wrong) => {
    const response = await api('/by-key', sent(wrong))
    expect(response.headers.get('www-authenticate')).toBe(key)
    await expectProblem(response, 401, 'API_KEY_INVALID')
    expect(JSON.stringify(lines)).not.toContain(wrong)
  })
})

test('a key without the scope is a 403 that names it', async () => {
  const response = await api('/by-key', sent(poor))
  expect(response.headers.get('www-authenticate')).toBe(
    'ApiKey header="X-Partner-Key", error="insufficient_scope", scope="stock:read"',
  )
  expect(await expectProblem(response, 403, 'SCOPE_MISSING')).toMatchObject({
    detail: 'The API key lacks: stock:read.',
  })
  expect(await expectJson(await api('/by-any', sent(poor)))).toMatchObject({ subject: 'poor' })
})

test('an idempotency key of a partner is not that of a user of the same name', async () => {
  const post = { method: 'POST' }
  const retry = { 'Idempotency-Key': 'one' }
  const token = await as('acme', ['stock:read'])
  for (const expected of ['service', 'service'])
    expect(
      await expectJson(await api('/by-either', { ...post, headers: { ...token, ...retry } })),
    ).toMatchObject({ issuer: expected })
  const byPartner = { headers: { 'X-Partner-Key': good, ...retry } }
  expect(await expectJson(await api('/by-either', { ...post, ...byPartner }))).toMatchObject({
    issuer: 'api-key:partnerKey',
  })
})

test('a key that is taken out is refused at once', async () => {
  const key = await keyFor('leaver')
  await expectJson(await api('/by-key', sent(key)))
  await onServer(databaseUrl, 'delete from test_partner_keys where hash = $1', [hashOf(key)])
  await expectProblem(await api('/by-key', sent(key)), 401, 'API_KEY_INVALID')
})

test('a key that was sent in clear is a warning', async () => {
  const headers = { 'X-Partner-Key': good, 'X-Forwarded-Proto': 'http' }
  expect((await api('/by-key', { headers })).status).toBe(308)
  expect(lines).toContainEqual(
    expect.objectContaining({
      severity: 'WARNING',
      message: expect.stringContaining('A credential was sent in clear'),
    }),
  )
})

test('a page that may call the service may send the key', async () => {
  const headers = { Origin: 'https://shop.example', 'Access-Control-Request-Method': 'GET' }
  const response = await api('/by-key', { method: 'OPTIONS', headers })
  expect(response.headers.get('access-control-allow-headers')?.split(',')).toContain('X-Partner-Key')
})

interface Shown {
  readonly paths: Record<string, Record<string, { readonly security: unknown }>>
  readonly components: { readonly securitySchemes: unknown }
}

test('the contract shows the scheme, and who takes it', async () => {
  const contract: unknown = await expectJson(await api('/openapi.json'))
  const { paths, components } = contract as Shown
  expect(components.securitySchemes).toMatchObject({
    bearer: { type: 'http', scheme: 'bearer' },
    partnerKey: {
      type: 'apiKey',
      in: 'header',
      name: 'X-Partner-Key',
      description: 'A partner has one from us.',
    },
  })
  const scopes = ['stock:read']
  expect(paths['/by-key']?.get?.security).toEqual([{ partnerKey: scopes }])
  expect(paths['/by-either']?.post?.security).toEqual([{ bearer: scopes }, { partnerKey: scopes }])
  expect(paths['/by-any']?.get?.security).toEqual([{ partnerKey: [] }, { bearer: [] }])
})
