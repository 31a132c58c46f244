import { z } from '@hono/zod-openapi'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { TokenOptions } from '#src/runtime/auth/sign.ts'
import { defineFeature } from '#src/runtime/feature.ts'
import { defineRoute, handle, json, jsonBody } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { bearer, providerKey } from '#test/support/forge.ts'
import { startProvider } from '#test/support/provider.ts'
import { testService } from '#test/support/service.ts'

const noon = Date.parse('2026-06-01T12:00:00.000Z')
const now = noon / 1000

const logIn = defineRoute({
  method: 'post',
  path: '/login',
  operationId: 'logIn',
  summary: 'Get a token',
  security: 'public',
  request: { body: jsonBody(z.strictObject({ user: z.string() })) },
  responses: { 201: json('A token', z.object({ token: z.string() })) },
})

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: noon })
})

afterEach(() => {
  vi.useRealTimers()
})

test('a login route issues a token that the service takes, for a day', async () => {
  const { api, token } = await logInto({ scopes: ['orders:read', 'orders:write'] })
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'JWT' })
  expect(decodeJwt(token)).toEqual({
    ...{ iss: 'service', aud: 'service', sub: 'alice', scope: 'orders:read orders:write' },
    ...{ iat: now, exp: now + 86_400 },
  })
  vi.setSystemTime(noon + 86_400_000 - 1)
  await expectJson(await api('/auth/version', { headers: bearer(token) }))
  vi.setSystemTime(noon + 86_405_000)
  await expectProblem(await api('/auth/version', { headers: bearer(token) }), 401, 'TOKEN_EXPIRED')
})

test('AUTH_TOKEN_TTL changes how long, AUTH_ISSUER and AUTH_AUDIENCE who and for whom', async () => {
  const environment = { AUTH_TOKEN_TTL: '15m', AUTH_ISSUER: 'https://me.example', AUTH_AUDIENCE: 'me' }
  const { api, token } = await logInto({}, environment)
  expect(decodeJwt(token)).toMatchObject({ iss: 'https://me.example', aud: 'me', exp: now + 900, scope: '' })
  await expectJson(await api('/auth/version', { headers: bearer(token) }))
})

test('a token may say itself how long it is good for', async () => {
  const { token } = await logInto({ expiresIn: 60 })
  expect(decodeJwt(token).exp).toBe(now + 60)
})

test('a token carries claims of the fork’s own; the registered ones stay the runtime’s', async () => {
  const taken = { iss: 'mallory', aud: 'bank', sub: 'root', exp: 1, iat: 1, scope: 'admin' }
  const { token } = await logInto({ scopes: ['a:read'], claims: { tenant: 'acme', ...taken } })
  expect(decodeJwt(token)).toEqual({
    ...{ tenant: 'acme', iss: 'service', aud: 'service', sub: 'alice', scope: 'a:read' },
    ...{ iat: now, exp: now + 86_400 },
  })
})

test('with an identity provider the service issues no tokens', async () => {
  const provider = await startProvider(providerKey('one'))
  const { api, lines } = await login({}, provider.environment)
  await expectProblem(await api('/login', { json: { user: 'alice' } }), 500, 'INTERNAL')
  expect(
    lines.some(({ stack_trace }) => /with AUTH_JWKS_URL, the provider issues/.test(String(stack_trace))),
  ).toBe(true)
})

test.each([Number.NaN, Number.POSITIVE_INFINITY])(
  'a token that is good for %d seconds is not issued',
  async (expiresIn) => {
    const { api } = await login({ expiresIn })
    await expectProblem(await api('/login', { json: { user: 'alice' } }), 500, 'INTERNAL')
  },
)

async function logInto(more: Omit<TokenOptions, 'subject'>, environment: Record<string, string> = {}) {
  const { api } = await login(more, environment)
  const { token } = await expectJson<{ token: string }>(await api('/login', { json: { user: 'alice' } }), 201)
  return { api, token }
}

function login(more: Omit<TokenOptions, 'subject'>, environment: Record<string, string> = {}) {
  const feature = defineFeature({
    name: 'login',
    description: 'A login of the fork’s own.',
    routes: ({ signToken }) => [
      handle(logIn, async (c) => {
        const token = await signToken({ subject: c.req.valid('json').user, ...more })
        return c.json({ token }, 201)
      }),
    ],
  })
  return testService({ databaseUrl: noDatabase, features: [feature], environment })
}
