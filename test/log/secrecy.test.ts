import { sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import type { Context } from 'hono'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '#src/runtime/database/database.ts'
import { defineFeature } from '#src/runtime/feature.ts'
import { handlePlain } from '#src/runtime/routes/route.ts'
import { expectProblem } from '#test/support/expect.ts'
import { notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'
import { as, testAuth } from '#test/support/tokens.ts'

const canary = 'hunter2-canary'
const table = pgTable('test_notes', {
  id: text('id'),
  owner: text('owner'),
  text: text('text'),
  pages: integer('pages'),
})

let work: (body: string, database: Database, c: Context) => unknown
const feature = defineFeature({
  name: 'leaky',
  description: 'Mistakes that a fork could make.',
  routes: ({ database }) => [
    handlePlain({ method: 'post', path: '/leak', security: 'optional' }, async (c) => {
      await work(await c.req.text(), database, c)
      return c.text('done')
    }),
  ],
})
const service = await testService({
  features: [notes, feature],
  environment: { AUTH_COOKIE: 'session', SERVICE_URL: 'https://orders.example.com' },
})
const { api, lines } = service

beforeEach(() => {
  lines.length = 0
})

/** Expects log lines, none of which holds any of these words. */
function expectSilence(...words: string[]) {
  expect(lines).not.toEqual([])
  const log = JSON.stringify(lines)
  for (const word of [canary, ...words]) expect(log).not.toContain(word)
}

describe('a value of the body is in no log line, though PostgreSQL', () => {
  const id = '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f'
  const insert = (values: object) => (database: Database) => database.insert(table).values(values)
  const mistakes: [string, (body: string, database: Database) => unknown][] = [
    ['finds no integer in it', (body, database) => database.execute(sql`select ${body}::int`)],
    [
      'finds no UUID in it',
      (body, database) => database.execute(sql`select * from test_notes where id = ${body}`),
    ],
    ['finds no date in it', (body, database) => database.execute(sql`select ${body}::timestamptz`)],
    ['finds no JSON in it', (body, database) => database.execute(sql`select ${body}::jsonb`)],
    [
      'finds no regular expression in it',
      (body, database) => database.execute(sql`select 'a' ~ ${`(${body}`}`),
    ],
    [
      'has it twice',
      async (body, database) => {
        const values = { id, owner: body, text: body, pages: 1 }
        await database.insert(table).values(values).onConflictDoNothing()
        await insert(values)(database)
      },
    ],
    ['may not have it', (body, database) => insert({ id, owner: body, text: body, pages: 5000 })(database)],
    ['misses something beside it', (body, database) => insert({ id, owner: body })(database)],
    ['is asked without Drizzle', (body, database) => database.$client.query('select $1::int', [body])],
    ['fails for another reason', (body, database) => database.execute(sql`select ${body}::text, 1 / 0`)],
    ['knows no such function', (body, database) => database.execute(sql`select no_such(${body}::text)`)],
  ]

  test.each(mistakes)('%s', async (_what, mistake) => {
    work = mistake
    for (const body of [canary, `x\n    at ${canary} (x.js:1:1)`, `\n${canary}`]) {
      lines.length = 0
      const problem = await expectProblem(await api('/leak', { method: 'POST', body }), 500, 'INTERNAL')
      expect(JSON.stringify(problem)).not.toContain('canary')
      expectSilence()
      expect(lines[0]).toMatchObject({
        stack_trace: expect.stringMatching(/^\w+: .+\n {4}at /),
        database: { code: expect.stringMatching(/^\w{5}$/) },
      })
    }
  })

  test('the query itself is there, with its constraint, to find the mistake by', async () => {
    work = (body, database) => insert({ id, owner: body, text: body, pages: 5000 })(database)
    await api('/leak', { method: 'POST', body: canary })
    expect(lines[0]).toMatchObject({
      database: { code: '23514', table: 'test_notes', constraint: 'test_notes_pages' },
      stack_trace: expect.stringContaining('Failed query: insert into "test_notes"'),
    })
  })
})

test.each<[string, (body: string) => unknown]>([
  ['JSON', (body) => JSON.parse(body)],
  ['a number', (body) => BigInt(body)],
])('a body in which a handler finds no %s is in no log line', async (_what, parse) => {
  work = parse
  await expectProblem(await api('/leak', { method: 'POST', body: canary }), 500, 'INTERNAL')
  expectSilence()
})

test.each<[string, string, object]>([
  ['that is malformed', 'MALFORMED_REQUEST', { body: `{"item":"${canary}` }],
  ['that does not fit', 'VALIDATION_FAILED', { json: { text: 7, pages: 1, [canary]: canary } }],
  ['of another type', 'UNSUPPORTED_MEDIA_TYPE', { body: canary, headers: { 'Content-Type': 'text/plain' } }],
])('a body %s is in no log line', async (_what, code, request) => {
  const alice = await service.as('alice', ['notes:write'])
  const headers = { 'Content-Type': 'application/json' }
  const response = await alice('/notes', { method: 'POST', headers, ...request })
  expect(await response.json()).toMatchObject({ code })
  expectSilence()
})

describe('a credential is in no log line', () => {
  const responses: [string, () => unknown][] = [
    ['is answered', () => undefined],
    ['fails', () => Promise.reject(new Error('lost'))],
  ]

  test.each(responses)('whether the request %s', async (_what, behaviour) => {
    work = behaviour
    const { Authorization = '' } = await as('alice', ['notes:read'])
    const token = Authorization.slice('Bearer '.length)
    const [header = '', payload = '', signature = ''] = token.split('.')
    const secrets = [header, payload, signature, testAuth.secret]
    const cookie = { Cookie: `session=${token}; other=${canary}`, Origin: 'https://orders.example.com' }
    const clear = { 'X-Forwarded-Proto': 'http' }
    for (const headers of [{ Authorization }, cookie, { Authorization, ...clear }, { ...cookie, ...clear }]) {
      for (const path of ['/leak', `/leak?access_token=${token}&password=${canary}`, `/notes/${token}`]) {
        await api(path, { method: 'POST', body: token, headers })
      }
    }
    expectSilence(...secrets)
  })

  test.each([
    ['expired', async () => (await as('alice', [], { expiresIn: -60 })).Authorization],
    ['forged', async () => `${(await as('alice')).Authorization?.slice(0, -5)}AAAAA`],
    ['opaque', () => `Bearer ${canary}`],
    ['of another scheme', () => `Basic ${Buffer.from(`alice:${canary}`).toString('base64')}`],
    ['no token at all', () => `Bearer ${canary} ${canary}`],
  ])('though it is %s', async (_what, make) => {
    const Authorization = `${await make()}`
    const response = await api('/notes', { headers: { Authorization } })
    expect(response.status).toBe(401)
    expectSilence(...Authorization.split(/[ .]/).slice(1).filter(Boolean))
  })
})

describe('what a careless line holds is taken out', () => {
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl'

  test.each<[string, (c: Context) => unknown]>([
    ['all headers', (c) => c.var.log.info({ headers: Object.fromEntries(c.req.raw.headers) }, 'asked')],
    ['a token in the message', (c) => c.var.log.info(`got ${c.req.header('authorization')}`)],
    ['a token in an error', () => Promise.reject(new Error(`refused: ${jwt}`))],
    [
      'a token without its signature',
      (c) => c.var.log.info(`got ${jwt.slice(0, jwt.lastIndexOf('.'))} from a client`),
    ],
    [
      'an opaque token in an error',
      () => Promise.reject(new Error('refused: Authorization: Bearer hunter2-canary-opaque')),
    ],
    ['a password by its name', (c) => c.var.log.info({ user: { name: 'alice', password: canary } }, 'login')],
    [
      'tokens by their names',
      (c) => c.var.log.info({ access_token: canary, refreshToken: canary, client_secret: canary }, 'login'),
    ],
    ['a password with quotes', (c) => c.var.log.info({ password: `a"${canary}\\` }, 'login')],
    [
      'a password in a URL',
      () => Promise.reject(new Error(`cannot reach postgres://app:${canary}@db/orders`)),
    ],
    [
      'a password with an @ in a URL',
      () => Promise.reject(new Error(`cannot reach redis://:a@${canary}@db:6379/0`)),
    ],
    [
      'a password in the URL of a cause',
      () => Promise.reject(new Error('lost', { cause: new Error(`http://u:${canary}@h`) })),
    ],
    [
      'a password in the query of a URL',
      () =>
        Promise.reject(new Error(`cannot reach postgres://db/orders?user=app&password=${canary}&ssl=true`)),
    ],
    ['a token in the query of a path', (c) => c.var.log.info(`GET /callback?access_token=${canary}#a`)],
    ['a token in a warning', (c) => c.var.log.warn({ data: [{ note: `token ${jwt}` }] }, 'odd')],
  ])('%s', async (_what, careless) => {
    work = (_body, _database, c) => careless(c)
    const { Authorization = '' } = await as('alice')
    const headers = {
      Authorization,
      Cookie: `theme=${canary}`,
      'X-Serverless-Authorization': `Bearer ${canary}`,
    }
    await api('/leak', { method: 'POST', body: canary, headers })
    expectSilence('eyJ', 'c2lnbmF0dXJl', Authorization.slice(-20))
    expect(JSON.stringify(lines)).toContain('[redacted]')
  })

  test('and nothing else', async () => {
    const harmless = {
      ...{
        url: 'https://orders.example.com:8443/a?b=c@d',
        mail: 'alice@example.com',
        tokens: 3,
        secretary: 'Bob',
      },
      ...{ scheme: 'Bearer realm="orders"', note: 'Basic understanding of eyJ' },
    }
    work = (_body, _database, c) => c.var.log.info(harmless, 'fine')
    await api('/leak', { method: 'POST', body: canary })
    expect(lines[0]).toMatchObject(harmless)
  })
})

test.each(['eyJ-', 'eyJa.', '://a:', '?token', 'Bearer ', '"token":"'])(
  'a long line of %j is searched in no time: each character once',
  async (unit) => {
    work = (_body, _database, c) => c.var.log.info(unit.repeat(50_000))
    await api('/leak', { method: 'POST', body: canary })
    expect(String(lines[0]?.message).length).toBeGreaterThan(50_000)
  },
)
