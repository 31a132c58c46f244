import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import type { Claims } from '#src/runtime/auth/caller.ts'
import { defineRoute, handle, json } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { bearer, forge, goodClaims } from '#test/support/forge.ts'
import { testService } from '#test/support/service.ts'

const Caller = z.object({
  subject: z.string(),
  issuer: z.string(),
  scopes: z.array(z.string()),
  claims: z.looseObject({}),
})
const whoAmI = defineRoute({
  method: 'get',
  path: '/me',
  operationId: 'whoAmI',
  summary: 'Show the caller',
  security: 'authenticated',
  responses: { 200: json('The caller', Caller) },
})
const feature = featureOf(
  handle(whoAmI, (c) => {
    const { subject, issuer, scopes, claims } = c.var.caller
    return c.json({ subject, issuer, scopes: [...scopes], claims }, 200)
  }),
)
const serve = (claims?: z.ZodType<Claims>) =>
  testService({ databaseUrl: noDatabase, features: [feature], auth: claims ? { claims } : {} })

test('a handler finds who is calling: subject, issuer, scopes and every claim', async () => {
  const { api, lines } = await serve()
  const claims = goodClaims({ scope: 'a:read', tenant: 'acme', nested: { list: [1] } })
  const response = await api('/me', { headers: bearer(forge({ claims })) })
  expect(await expectJson(response)).toEqual({
    subject: 'alice',
    issuer: 'service',
    scopes: ['a:read'],
    claims,
  })
  const line = lines.find(({ httpRequest }) => httpRequest !== undefined)
  expect(line?.['logging.googleapis.com/labels']).toMatchObject({ subject: 'alice' })
})

test('a subject may be anything that is a text', async () => {
  const { api } = await serve()
  for (const sub of [
    'auth0|5f7c8ec7c33c6c004bbafe82',
    ' ',
    'Ünï cødé 👋',
    '0',
    'x'.repeat(1000),
    'é'.repeat(500),
  ]) {
    const response = await api('/me', { headers: bearer(forge({ claims: goodClaims({ sub }) })) })
    expect(await expectJson(response)).toMatchObject({ subject: sub })
  }
})

test('a fork’s own claims are checked: a token that does not fit is invalid, and no claim is shown', async () => {
  const { api } = await serve(z.looseObject({ tenant: z.enum(['acme', 'umbrella']) }))
  const fits = bearer(forge({ claims: goodClaims({ tenant: 'acme' }) }))
  expect(await expectJson(await api('/me', { headers: fits }))).toMatchObject({ claims: { tenant: 'acme' } })

  for (const tenant of ['initech', undefined, 7]) {
    const headers = bearer(forge({ claims: goodClaims({ tenant }) }))
    const response = await api('/me', { headers })
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"')
    const problem = await expectProblem(response, 401, 'TOKEN_INVALID')
    expect(JSON.stringify(problem)).not.toMatch(/initech|acme|umbrella/)
  }
})

test('a schema that names a few claims only leaves the others, and the scopes, in place', async () => {
  const { api } = await serve(z.object({ tenant: z.string() }))
  const claims = goodClaims({ tenant: 'acme', scope: 'a:read', email: 'alice@example.com' })
  const response = await api('/me', { headers: bearer(forge({ claims })) })
  expect(await expectJson(response)).toMatchObject({ scopes: ['a:read'], claims })
})

test('a schema may shape a claim', async () => {
  const { api } = await serve(z.looseObject({ level: z.string().transform(Number) }))
  const response = await api('/me', { headers: bearer(forge({ claims: goodClaims({ level: '3' }) })) })
  expect(await expectJson(response)).toMatchObject({ claims: { level: 3 } })
})
