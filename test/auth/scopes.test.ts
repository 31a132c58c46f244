import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { scopesOf } from '#src/runtime/auth/caller.ts'
import { defineRoute, handle, json } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { bearer, forge, goodClaims } from '#test/support/forge.ts'
import { testService } from '#test/support/service.ts'

const needed = defineRoute({
  method: 'get',
  path: '/needed',
  operationId: 'needed',
  summary: 'Need two scopes',
  security: ['a:read', 'a:write'],
  responses: { 200: json('What the token grants', z.object({ scopes: z.array(z.string()) })) },
})
const feature = featureOf(handle(needed, (c) => c.json({ scopes: [...c.var.caller.scopes] }, 200)))
const { api } = await testService({ databaseUrl: noDatabase, features: [feature] })

const granted: [name: string, claims: Record<string, unknown>, scopes: string[]][] = [
  ['scope, a text with spaces', { scope: 'a:read a:write' }, ['a:read', 'a:write']],
  ['scope, with spaces to spare', { scope: '  a:read   a:write ' }, ['a:read', 'a:write']],
  ['scope, a list', { scope: ['a:read', 'a:write'] }, ['a:read', 'a:write']],
  ['scp, a text', { scp: 'a:read a:write' }, ['a:read', 'a:write']],
  ['scp, a list', { scp: ['a:read', 'a:write'] }, ['a:read', 'a:write']],
  ['permissions', { permissions: ['a:read', 'a:write'] }, ['a:read', 'a:write']],
  ['roles', { roles: ['a:read', 'a:write'] }, ['a:read', 'a:write']],
  ['scope and roles together', { scope: 'a:read', roles: ['a:write', 'a:read'] }, ['a:read', 'a:write']],
  ['a list with rubbish in it', { scp: [1, 'a:read', null, {}, ['x']] }, ['a:read']],
  ['none of these', { scope: 7, scp: null, permissions: {}, roles: true }, []],
  ['nothing, as Firebase and Google do', {}, []],
]

test.each(granted)('scopes are read from %s', (_name, claims, scopes) => {
  expect(scopesOf(claims)).toEqual(scopes)
})

test.each(granted.filter(([, , scopes]) => scopes.length === 2))(
  'a token that grants by %s is let in',
  async (...row) => {
    const [, claims, scopes] = row
    const response = await api('/needed', { headers: bearer(forge({ claims: goodClaims(claims) })) })
    expect(await expectJson(response)).toEqual({ scopes })
  },
)

const lacking: [name: string, claims: Record<string, unknown>, missing: string][] = [
  ['nothing', {}, 'a:read a:write'],
  ['one of the two', { scope: 'a:read' }, 'a:write'],
  ['scopes that look alike', { scope: 'a:reader A:READ a:read:all a:*' }, 'a:read a:write'],
  ['both in one word', { scope: 'a:read,a:write' }, 'a:read a:write'],
]

test.each(lacking)(
  'a token that grants %s is a 403 that names what it lacks',
  async (_name, claims, missing) => {
    const response = await api('/needed', { headers: bearer(forge({ claims: goodClaims(claims) })) })
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_scope", scope="a:read a:write"',
    )
    expect(await expectProblem(response, 403, 'SCOPE_MISSING')).toMatchObject({
      detail: `The token lacks: ${missing}.`,
    })
  },
)

test('a fork grants scopes in its own way: by one function given to createApp', async () => {
  const service = await testService({
    databaseUrl: noDatabase,
    features: [feature],
    auth: { scopesOf: ({ email_verified }) => (email_verified ? ['a:read', 'a:write'] : []) },
  })
  const verified = bearer(forge({ claims: goodClaims({ email_verified: true }) }))
  await expectJson(await service.api('/needed', { headers: verified }))
  const unverified = bearer(forge({ claims: goodClaims({ scope: 'a:read a:write' }) }))
  await expectProblem(await service.api('/needed', { headers: unverified }), 403, 'SCOPE_MISSING')
})

test('a function that fails is a failure of ours, not a way in', async () => {
  const auth = {
    scopesOf: () => {
      throw new Error('the tenants are elsewhere')
    },
  }
  const service = await testService({ databaseUrl: noDatabase, features: [feature], auth })
  const response = await service.api('/needed', { headers: bearer(forge()) })
  await expectProblem(response, 500, 'INTERNAL')
})
