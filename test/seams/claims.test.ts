import { expect, expectTypeOf, test } from 'vitest'
import {
  type Caller,
  type CallerOf,
  defineAuth,
  defineFeature,
  defineRoute,
  handle,
  handlePlain,
  json,
  z,
} from '#runtime'
import { as, expectJson, expectProblem, noDatabase, testService } from '#test/kit'

// A fork has this in a folder of its own, such as src/tenant/auth.ts, and imports it into src/app.ts in place of the `auth` there.
const auth = defineAuth({
  claims: z.object({ tenant: z.string().min(1), roles: z.array(z.enum(['reader', 'writer'])).default([]) }),
  scopesOf: (claims) => claims.roles.map((role) => (role === 'writer' ? 'pages:write' : 'pages:read')),
})

// And this is how a feature uses it.
const Page = z.object({ tenant: z.string(), roles: z.array(z.string()) })
const shown = {
  method: 'get',
  operationId: 'showPage',
  summary: 'Show a page',
  responses: { 200: json('The page', Page) },
} as const
const showPage = defineRoute({ ...shown, path: '/page', security: ['pages:read'] })

/** What else takes the service's callers is typed by them too. */
const pageOf = ({ claims: { tenant, roles } }: CallerOf<typeof auth>) => ({ tenant, roles })

const pages = defineFeature({
  name: 'pages',
  description: 'Pages of a tenant.',
  routes: () => [
    auth.handle(showPage, (c) => c.json(pageOf(c.var.caller), 200)),
    auth.handlePlain({ method: 'get', path: '/plain', security: 'optional' }, (c) =>
      c.text(c.var.caller?.claims.tenant.toUpperCase() ?? 'nobody'),
    ),
  ],
})
const reader = { claims: { tenant: 'acme', roles: ['reader'] } }

test('a handler has the claims that every token must have', async () => {
  const { api } = await testService({ databaseUrl: noDatabase, features: [pages], auth })
  const headers = await as('alice', [], reader)
  expect(await expectJson(await api('/page', { headers }))).toEqual(reader.claims)
  expect(await (await api('/plain', { headers })).text()).toBe('ACME')
  expect(await (await api('/plain')).text()).toBe('nobody')
})

test('a token without them is not valid, on any route', async () => {
  const { api } = await testService({ databaseUrl: noDatabase, features: [pages], auth })
  for (const claims of [{}, { tenant: '' }, { tenant: 7 }, { tenant: 'acme', roles: ['owner'] }]) {
    const headers = await as('alice', ['pages:read'], { claims })
    for (const path of ['/page', '/plain', '/auth/version'])
      await expectProblem(await api(path, { headers }), 401, 'TOKEN_INVALID')
  }
})

test('scopes come from the claims after their check', async () => {
  const { api } = await testService({ databaseUrl: noDatabase, features: [pages], auth })
  const headers = await as('alice', ['pages:read'], { claims: { tenant: 'acme' } })
  await expectProblem(await api('/page', { headers }), 403, 'SCOPE_MISSING')
})

test('the service does not start where createApp checks other claims than a handler reads', async () => {
  const other = defineAuth({ claims: z.object({ tenant: z.string() }) })
  for (const given of [{}, { auth: other }])
    await expect(testService({ databaseUrl: noDatabase, features: [pages], ...given })).rejects.toThrow(
      'GET /page reads claims that the service does not check: give createApp the `auth` whose handle() defines it.',
    )
})

test('claims are checked at once', () => {
  const claims = z.object({ tenant: z.string().refine(async () => true) })
  expect(() => defineAuth({ claims })).toThrow(
    'The claims of a token are checked synchronously (tenant): write',
  )
})

test('the claims are typed in its handlers, and unknown in others', () => {
  auth.handle(defineRoute({ ...shown, path: '/', security: 'optional' }), (c) => {
    expectTypeOf(c.var.caller?.claims.tenant).toEqualTypeOf<string | undefined>()
    expectTypeOf(c.var.caller?.claims.roles).toEqualTypeOf<('reader' | 'writer')[] | undefined>()
    expectTypeOf(c.var.caller?.claims.sub).toEqualTypeOf<string | undefined>()
    expectTypeOf(c.var.caller).toEqualTypeOf<CallerOf<typeof auth> | undefined>()
    return c.json({ tenant: '', roles: [] }, 200)
  })
  auth.handle(defineRoute({ ...shown, path: '/', security: 'public' }), (c) => {
    expectTypeOf(c.var.caller).toEqualTypeOf<undefined>()
    return c.json({ tenant: '', roles: [] }, 200)
  })
  auth.handlePlain({ method: 'get', path: '/', security: ['pages:read'] }, (c) =>
    c.text(c.var.caller.claims.tenant),
  )
  handle(showPage, (c) => {
    expectTypeOf(c.var.caller).toEqualTypeOf<Caller>()
    expectTypeOf(c.var.caller.claims.tenant).toEqualTypeOf<unknown>()
    return c.json({ tenant: '', roles: [] }, 200)
  })
  // @ts-expect-error it may be anything there
  handlePlain({ method: 'get', path: '/', security: ['a:b'] }, (c) => c.text(c.var.caller.claims.tenant))
  // @ts-expect-error the schema has no such claim
  defineAuth({ claims: z.object({ tenant: z.string() }), scopesOf: (claims) => claims.roles })
})
