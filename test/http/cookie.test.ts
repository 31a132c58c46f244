import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { defineRoute, handle, handlePlain, json, jsonBody } from '#src/runtime/routes/route.ts'
import { contractOf } from '#test/support/contract.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { forge, goodClaims } from '#test/support/forge.ts'
import { testService } from '#test/support/service.ts'

const Subject = z.object({ subject: z.string().optional() })
const responses = { 200: json('Who is calling', Subject) }
const common = { summary: 'Say who is calling', security: 'optional', responses } as const
const read = defineRoute({ ...common, method: 'get', path: '/it', operationId: 'read' })
const others = (['put', 'patch', 'delete'] as const).map((method) =>
  defineRoute({ ...common, method, path: '/it', operationId: method, security: 'authenticated' }),
)
const write = defineRoute({
  ...common,
  ...{ method: 'post', path: '/it', operationId: 'write', security: ['a:write'] },
  request: { body: jsonBody(z.strictObject({ text: z.string() })) },
})
const feature = featureOf(
  handle(read, (c) => c.json({ subject: c.var.caller?.subject }, 200)),
  handle(write, (c) => c.json({ subject: c.var.caller.subject }, 200)),
  ...others.map((route) => handle(route, (c) => c.json({ subject: c.var.caller.subject }, 200))),
  handlePlain({ method: 'post', path: '/hook', security: 'optional' }, (c) =>
    c.text(c.var.caller?.subject ?? '-'),
  ),
)
const serve = (environment: Record<string, string>) =>
  testService({ databaseUrl: noDatabase, features: [feature], environment })
const { api } = await serve({
  AUTH_COOKIE: 'session',
  SERVICE_URL: 'https://orders.example.com',
  ALLOWED_HOSTS: 'shop.example.com',
})

const good = forge({ claims: goodClaims({ scope: 'a:write' }) })
const Cookie = `theme=dark; session=${good}; last=1`
const text = { text: 'hello' }

test('a cookie says nothing unless AUTH_COOKIE names it', async () => {
  const off = await serve({})
  expect(await expectJson(await off.api('/it', { headers: { Cookie } }))).toEqual({})
  await expectProblem(await off.api('/auth/version', { headers: { Cookie } }), 401, 'TOKEN_MISSING')
  const other = await serve({ AUTH_COOKIE: 'sid' })
  await expectProblem(await other.api('/auth/version', { headers: { Cookie } }), 401, 'TOKEN_MISSING')
})

test('the cookie that AUTH_COOKIE names carries the token', async () => {
  expect(await expectJson(await api('/it', { headers: { Cookie } }))).toEqual({ subject: 'alice' })
  await expectJson(await api('/auth/version', { headers: { Cookie } }))
})

test.each(['__Host-session', '__Secure-sid', 'a.b'])('a cookie may be named %s', async (name) => {
  const service = await serve({ AUTH_COOKIE: name })
  await expectJson(await service.api('/auth/version', { headers: { Cookie: `${name}=${good}` } }))
})

test('the header wins, also where it is wrong', async () => {
  const bob = `Bearer ${forge({ claims: goodClaims({ sub: 'bob' }) })}`
  expect(await expectJson(await api('/it', { headers: { Cookie, Authorization: bob } }))).toEqual({
    subject: 'bob',
  })
  for (const Authorization of ['Bearer rubbish', 'Basic eDp5']) {
    await expectProblem(await api('/it', { headers: { Cookie, Authorization } }), 401, 'TOKEN_INVALID')
  }
})

test('a wrong cookie is a 401, an expired one has its code, an empty one is none', async () => {
  const now = Math.floor(Date.now() / 1000)
  const expired = forge({ claims: goodClaims({ exp: now - 60 }) })
  await expectProblem(await api('/it', { headers: { Cookie: 'session=rubbish' } }), 401, 'TOKEN_INVALID')
  await expectProblem(await api('/it', { headers: { Cookie: 'session=%ZZ%00' } }), 401, 'TOKEN_INVALID')
  await expectProblem(await api('/it', { headers: { Cookie: `session=${expired}` } }), 401, 'TOKEN_EXPIRED')
  await expectProblem(await api('/auth/version', { headers: { Cookie: 'session=' } }), 401, 'TOKEN_MISSING')
  expect(await expectJson(await api('/it', { headers: { Cookie: 'session=' } }))).toEqual({})
})

const sameOrigin: Record<string, Record<string, string>> = {
  'Origin is SERVICE_URL': { Origin: 'https://orders.example.com' },
  'Origin is one of ALLOWED_HOSTS': { Origin: 'https://shop.example.com' },
  'the browser says same-origin': { 'Sec-Fetch-Site': 'same-origin' },
  'both say so': { Origin: 'https://orders.example.com', 'Sec-Fetch-Site': 'same-origin' },
}

test.each(Object.entries(sameOrigin))(
  'with the cookie a change is taken where %s',
  async (_name, headers) => {
    const response = await api('/it', { json: text, headers: { Cookie, ...headers } })
    expect(await expectJson(response)).toEqual({ subject: 'alice' })
  },
)

const crossOrigin: Record<string, Record<string, string>> = {
  'nothing says where it comes from': {},
  'Origin is another site': { Origin: 'https://evil.example' },
  'Origin is null, as in a sandbox': { Origin: 'null' },
  'Origin is a sibling': { Origin: 'https://orders.example.com.evil.example' },
  'Origin is a subdomain': { Origin: 'https://x.orders.example.com' },
  'Origin is our host by http': { Origin: 'http://orders.example.com' },
  'Origin is our host at another port': { Origin: 'https://orders.example.com:8443' },
  'Origin ends in a slash': { Origin: 'https://orders.example.com/' },
  'Origin is another site, whatever else is said': {
    Origin: 'https://evil.example',
    'Sec-Fetch-Site': 'same-origin',
  },
  'the browser says same-site': { 'Sec-Fetch-Site': 'same-site' },
  'the browser says cross-site': { 'Sec-Fetch-Site': 'cross-site' },
  'the browser says none': { 'Sec-Fetch-Site': 'none' },
  'the host is claimed by a header of a proxy': {
    ...{ Origin: 'https://evil.example', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' },
  },
  'Origin is the host that the request names, which is not ours': {
    ...{ Origin: 'https://evil.example', Host: 'evil.example', 'X-Forwarded-Proto': 'https' },
  },
  'only the referrer is ours': { Referer: 'https://orders.example.com/form' },
}

test.each(Object.entries(crossOrigin))(
  'with the cookie a change is a 403 where %s',
  async (_name, headers) => {
    const response = await api('/it', { json: text, headers: { Cookie, ...headers } })
    await expectProblem(response, 403, 'CROSS_ORIGIN')
  },
)

test('where the service knows no host of its own, the one that the request came to counts', async () => {
  const nameless = await serve({ AUTH_COOKIE: 'session' })
  const ask = (headers: Record<string, string>) =>
    nameless.api('/it', { json: text, headers: { Cookie, ...headers } })
  await expectJson(await ask({ Origin: 'http://localhost:8080', Host: 'localhost:8080' }))
  const tagged = { Host: 'tag---orders.run.app', 'X-Forwarded-Proto': 'https' }
  await expectJson(await ask({ Origin: 'https://tag---orders.run.app', ...tagged }))
  for (const Origin of ['http://tag---orders.run.app', 'https://orders.run.app', 'https://evil.example']) {
    await expectProblem(await ask({ Origin, ...tagged }), 403, 'CROSS_ORIGIN')
  }
})

test.each(['PUT', 'PATCH', 'DELETE'])('%s changes something as well', async (method) => {
  await expectProblem(await api('/it', { method, headers: { Cookie } }), 403, 'CROSS_ORIGIN')
  await expectJson(await api('/it', { method, headers: { Cookie, 'Sec-Fetch-Site': 'same-origin' } }))
})

test('reading needs no origin', async () => {
  const headers = { Cookie, Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }
  await expectJson(await api('/it', { headers }))
  expect((await api('/it', { method: 'HEAD', headers })).status).toBe(200)
})

test('a plain route, and an optional one, are guarded alike', async () => {
  await expectProblem(await api('/hook', { method: 'POST', headers: { Cookie } }), 403, 'CROSS_ORIGIN')
  const headers = { Cookie, Origin: 'https://orders.example.com' }
  expect(await (await api('/hook', { method: 'POST', headers })).text()).toBe('alice')
})

test('with the token in the header, or with none, the origin does not matter: no browser adds it by itself', async () => {
  const Origin = 'https://evil.example'
  await expectJson(
    await api('/it', { json: text, headers: { Origin, Cookie, Authorization: `Bearer ${good}` } }),
  )
  expect(await (await api('/hook', { method: 'POST', headers: { Origin } })).text()).toBe('-')
})

test('the contract shows the cookie, and the 403, where it is on', async () => {
  const { components, paths } = await contractOf<Contract>(api)
  expect(components.securitySchemes.cookie).toEqual({ type: 'apiKey', in: 'cookie', name: 'session' })
  expect(paths['/it']?.post?.security).toEqual([{ bearer: ['a:write'] }, { cookie: ['a:write'] }])
  expect(paths['/it']?.get?.security).toEqual([{}, { bearer: [] }, { cookie: [] }])
  expect(paths['/it']?.delete?.responses['403']?.description).toContain('CROSS_ORIGIN')
  expect(paths['/it']?.get?.responses['403']).toBeUndefined()

  const off = await serve({})
  const plain = await contractOf<Contract>(off.api)
  expect(plain.components.securitySchemes).toEqual({
    bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
  })
  expect(plain.paths['/it']?.post?.security).toEqual([{ bearer: ['a:write'] }])
  expect(plain.paths['/it']?.delete?.responses['403']).toBeUndefined()
})

interface Contract {
  components: { securitySchemes: Record<string, unknown> }
  paths: Record<
    string,
    Record<string, { security: unknown; responses: Record<string, { description: string }> }>
  >
}
