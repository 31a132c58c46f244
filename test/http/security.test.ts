import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import type { Security } from '#src/runtime/http/security.ts'
import { defineRoute, handle, handlePlain, json } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { bearer, forge, goodClaims } from '#test/support/forge.ts'
import { testService } from '#test/support/service.ts'

const routes = (path: string, security: Security) => {
  const route = defineRoute({
    method: 'get',
    path: `/${path}`,
    operationId: path,
    summary: 'Say who is calling',
    security,
    responses: { 200: json('Who is calling', z.object({ subject: z.string().nullable() })) },
  })
  return [
    handle(route, (c) => c.json({ subject: c.var.caller?.subject ?? null }, 200)),
    handlePlain({ method: 'get', path: `/plain/${path}`, security }, (c) =>
      c.json({ subject: c.var.caller?.subject ?? null }),
    ),
  ]
}
const feature = featureOf(
  ...routes('public', 'public'),
  ...routes('optional', 'optional'),
  ...routes('authenticated', 'authenticated'),
  ...routes('scoped', ['a:read']),
)
const { api } = await testService({ databaseUrl: noDatabase, features: [feature] })
const now = Math.floor(Date.now() / 1000)
const tokens = {
  none: {},
  good: bearer(forge({ claims: goodClaims({ scope: 'a:read' }) })),
  scopeless: bearer(forge()),
  expired: bearer(forge({ claims: goodClaims({ exp: now - 60 }) })),
  rubbish: bearer('rubbish'),
}

const outcomes: [
  path: string,
  token: keyof typeof tokens,
  outcome: string | null | [status: number, code: string],
][] = [
  ['public', 'none', null],
  ['public', 'good', null],
  ['public', 'expired', null],
  ['public', 'rubbish', null],
  ['optional', 'none', null],
  ['optional', 'good', 'alice'],
  ['optional', 'expired', [401, 'TOKEN_EXPIRED']],
  ['optional', 'rubbish', [401, 'TOKEN_INVALID']],
  ['authenticated', 'none', [401, 'TOKEN_MISSING']],
  ['authenticated', 'scopeless', 'alice'],
  ['authenticated', 'expired', [401, 'TOKEN_EXPIRED']],
  ['authenticated', 'rubbish', [401, 'TOKEN_INVALID']],
  ['scoped', 'none', [401, 'TOKEN_MISSING']],
  ['scoped', 'good', 'alice'],
  ['scoped', 'scopeless', [403, 'SCOPE_MISSING']],
  ['scoped', 'rubbish', [401, 'TOKEN_INVALID']],
]

test.each(outcomes)('%s with the token "%s": %j', async (path, token, outcome) => {
  for (const place of [`/${path}`, `/plain/${path}`]) {
    const response = await api(place, { headers: tokens[token] })
    if (Array.isArray(outcome)) await expectProblem(response, ...outcome)
    else expect(await expectJson(response)).toEqual({ subject: outcome })
  }
})

test('HEAD asks for the same as GET', async () => {
  expect((await api('/scoped', { method: 'HEAD' })).status).toBe(401)
  expect((await api('/scoped', { method: 'HEAD', headers: tokens.good })).status).toBe(200)
})

test('without AUTH_SECRET and AUTH_JWKS_URL no token is good, and public routes answer', async () => {
  const none = await testService({
    databaseUrl: noDatabase,
    features: [feature],
    environment: { AUTH_SECRET: '' },
  })
  expect(await expectJson(await none.api('/public'))).toEqual({ subject: null })
  await expectProblem(await none.api('/scoped', { headers: tokens.good }), 401, 'TOKEN_INVALID')
})
