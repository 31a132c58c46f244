import { createHash, randomBytes } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { pgTable, text } from 'drizzle-orm/pg-core'
import { beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import { type Caller, defineApiKey, defineFeature, defineRoute, handle, json, z } from '#runtime'
import { as, expectJson, expectProblem, makeDatabase, onServer, testService } from '#test/kit'

/** Keys by their SHA-256: no key is stored, and the time of a comparison says nothing of one. */
const partnerKeys = pgTable('partner_keys', {
  hash: text('hash').primaryKey(),
  partner: text('partner').notNull(),
  plan: text('plan', { enum: ['free', 'paid'] }).notNull(),
  scopes: text('scopes').array().notNull(),
})
const hashOf = (key: string) => createHash('sha256').update(key).digest('hex')

const partnerKey = defineApiKey({
  name: 'partnerKey',
  header: 'X-Partner-Key',
  description: 'A partner has one from us.',
  async findOwner(key, { database }) {
    const [row] = await database
      .select()
      .from(partnerKeys)
      .where(eq(partnerKeys.hash, hashOf(key)))
    return row && { subject: row.partner, scopes: row.scopes, plan: row.plan }
  },
})

const ShownCaller = z.object({ subject: z.string(), issuer: z.string(), plan: z.string().optional() })
const shown = { summary: 'Show the caller', responses: { 200: json('The caller', ShownCaller) } } as const
const byKey = defineRoute({
  ...{ ...shown, method: 'get', path: '/by-key', operationId: 'byKey' },
  security: { schemes: [partnerKey], scopes: ['stock:read'] },
})
const byEither = defineRoute({
  ...{ ...shown, method: 'post', path: '/by-either', operationId: 'byEither', idempotent: true },
  security: { schemes: ['token', partnerKey], scopes: ['stock:read'] },
})
const byAny = defineRoute({
  ...{ ...shown, method: 'get', path: '/by-any', operationId: 'byAny' },
  security: { schemes: [partnerKey, 'token'] },
})

const stock = defineFeature({
  name: 'stock',
  description: 'Stock, for partners.',
  routes: () => [
    handle(byKey, (c) => {
      const { subject, issuer, plan } = c.var.caller
      expectTypeOf(plan).toEqualTypeOf<'free' | 'paid'>()
      return c.json({ subject, issuer, plan }, 200)
    }),
    handle(byEither, (c) => {
      const { caller } = c.var
      // whoever has claims has sent a token
      if ('claims' in caller) expectTypeOf(caller).toExtend<Caller>()
      else expectTypeOf(caller.plan).toEqualTypeOf<'free' | 'paid'>()
      const { subject, issuer } = caller
      return c.json({ subject, issuer, ...('plan' in caller && { plan: caller.plan }) }, 200)
    }),
    handle(byAny, (c) => c.json({ subject: c.var.caller.subject, issuer: c.var.caller.issuer }, 200)),
  ],
})

const databaseUrl = await makeDatabase()
await onServer(
  databaseUrl,
  'create table partner_keys (hash text primary key, partner text not null, plan text not null, scopes text[] not null)',
)
const environment = { CORS_ORIGINS: 'https://shop.example', SERVICE_URL: 'https://stock.example' }
const service = await testService({ features: [stock], databaseUrl, environment })
const { api, lines } = service

/** A new key for this partner. */
async function keyFor(partner: string, scopes: readonly string[] = ['stock:read']): Promise<string> {
  const key = randomBytes(32).toString('base64url')
  await onServer(databaseUrl, 'insert into partner_keys values ($1, $2, $3, $4)', [
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

test('a route that takes either has whoever came, by token or by key', async () => {
  const post = { method: 'POST' }
  const token = await as('alice', ['stock:read'])
  expect(await expectJson(await api('/by-either', { ...post, headers: token }))).toEqual({
    subject: 'alice',
    issuer: 'runway',
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
    ['GET', '/by-key', 'API_KEY_MISSING', key, 'Send an API key: X-Partner-Key: <key>.'],
    [
      ...(['POST', '/by-either', 'TOKEN_MISSING', `Bearer, ${key}`] as const),
      'Send a token: Authorization: Bearer <token>. Or: Send an API key: X-Partner-Key: <key>.',
    ],
    [
      ...(['GET', '/by-any', 'API_KEY_MISSING', `${key}, Bearer`] as const),
      'Send an API key: X-Partner-Key: <key>. Or: Send a token: Authorization: Bearer <token>.',
    ],
  ])('%s %s: %s', async (method, path, code, challenge, detail) => {
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
  for (const expected of ['runway', 'runway'])
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
  await onServer(databaseUrl, 'delete from partner_keys where hash = $1', [hashOf(key)])
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

describe('the service does not start', () => {
  const start = (security: unknown) =>
    testService({
      databaseUrl,
      features: [
        defineFeature({
          ...stock,
          routes: (context) => [
            ...stock.routes(context),
            handle(
              defineRoute({ ...byKey, path: '/other', operationId: 'other', security: security as 'public' }),
              (c) => c.json({ subject: '', issuer: '' }, 200),
            ),
          ],
        }),
      ],
    })

  test.each([
    ['no scheme', { schemes: [] }],
    ['a scheme that is none', { schemes: ['key'] }],
    ['no scopes but a text', { schemes: ['token'], scopes: 'stock:read' }],
    ['a scope with a space', { schemes: ['token'], scopes: ['a b'] }],
  ])('with %s', async (_what, security) => {
    await expect(start(security)).rejects.toThrow('GET /other does not declare its security.')
  })

  test('with two keys of one name', async () => {
    const other = defineApiKey({ name: 'partnerKey', header: 'X-Other', findOwner: async () => undefined })
    await expect(start({ schemes: [other] })).rejects.toThrow(
      'There are two API keys partnerKey: name one otherwise.',
    )
  })

  test.each([
    ['bearer', 'X-Key', 'its name is letters and digits'],
    ['', 'X-Key', 'its name is letters and digits'],
    ['a b', 'X-Key', 'its name is letters and digits'],
    ['key', 'Authorization', 'its header is one of its own'],
    ['key', 'Cookie', 'its header is one of its own'],
    ['key', 'X Key', 'its header is one of its own'],
  ])('with a key %j in %j', (name, header, words) => {
    expect(() => defineApiKey({ name, header, findOwner: async () => undefined })).toThrow(words)
  })
})

test.each(['', 'a\0', 'x'.repeat(1001)])(
  'an owner whose subject cannot be stored is a 500',
  async (subject) => {
    const odd = defineApiKey({ name: 'odd', header: 'X-Odd', findOwner: async () => ({ subject }) })
    const route = defineRoute({ ...byAny, security: { schemes: [odd] } })
    const feature = defineFeature({
      ...{ name: 'odd', description: 'Odd.' },
      routes: () => [handle(route, (c) => c.json({ subject: c.var.caller.subject, issuer: '' }, 200))],
    })
    const service = await testService({ features: [feature], databaseUrl })
    await expectProblem(await service.api('/by-any', { headers: { 'X-Odd': 'key' } }), 500, 'INTERNAL')
  },
)
