import { z } from '@hono/zod-openapi'
import { afterEach, expect, test, vi } from 'vitest'
import { defineRoute, handle, json } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { bearer, forge, goodClaims, providerKey } from '#test/support/forge.ts'
import { providerToken, startProvider } from '#test/support/provider.ts'
import { testService } from '#test/support/service.ts'

const noon = Date.parse('2026-06-01T12:00:00.000Z')

afterEach(() => {
  vi.useRealTimers()
})

test('a token is verified once, then remembered, for ten minutes at most', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: noon })
  const scopesOf = vi.fn(() => ['orders:read'])
  const { api } = await testService({ databaseUrl: noDatabase, features: [], auth: { scopesOf } })
  const headers = bearer(forge({ claims: goodClaims({ exp: noon / 1000 + 86_400 }) }))

  await expectJson(await api('/auth/version', { headers }))
  vi.setSystemTime(noon + 599_999)
  await expectJson(await api('/auth/version', { headers }))
  expect(scopesOf).toHaveBeenCalledTimes(1)

  vi.setSystemTime(noon + 600_000)
  await expectJson(await api('/auth/version', { headers }))
  expect(scopesOf).toHaveBeenCalledTimes(2)
})

test('a refused token is not remembered as anything', async () => {
  const claims = z.looseObject({ tenant: z.string() })
  const { api } = await testService({ databaseUrl: noDatabase, features: [], auth: { claims } })
  const headers = bearer(forge())
  for (let attempt = 0; attempt < 3; attempt++) {
    await expectProblem(await api('/auth/version', { headers }), 401, 'TOKEN_INVALID')
  }
})

test('a remembered token needs no provider; another one does', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: noon })
  const key = providerKey('one')
  const provider = await startProvider(key)
  const { api } = await testService({
    databaseUrl: noDatabase,
    features: [],
    environment: provider.environment,
  })
  const known = bearer(providerToken(key, { exp: noon / 1000 + 86_400 }))
  await expectJson(await api('/auth/version', { headers: known }))
  await provider.stop()

  vi.setSystemTime(noon + 599_999)
  await expectJson(await api('/auth/version', { headers: known }))
  vi.setSystemTime(noon + 3_600_000) // when the keys are no longer known either
  const response = await api('/auth/version', { headers: known })
  expect(response.headers.get('retry-after')).toBe('5')
  await expectProblem(response, 503, 'IDENTITY_UNAVAILABLE')
})

test('what one handler does to its caller, the next request does not see', async () => {
  const spoil = defineRoute({
    method: 'post',
    path: '/spoil',
    operationId: 'spoil',
    summary: 'Try to become somebody else',
    security: 'authenticated',
    responses: {
      200: json('Who is calling', z.object({ subject: z.string(), scopes: z.array(z.string()) })),
    },
  })
  const feature = featureOf(
    handle(spoil, (c) => {
      const { caller } = c.var
      const scopes = [...caller.scopes]
      expect(() => Object.assign(caller, { subject: 'mallory' })).toThrow(TypeError)
      expect(() => Reflect.apply(Array.prototype.push, caller.scopes, ['admin'])).toThrow(TypeError)
      expect(() => Object.assign(caller.claims, { sub: 'mallory' })).toThrow(TypeError)
      return c.json({ subject: caller.subject, scopes }, 200)
    }),
  )
  const { as } = await testService({ databaseUrl: noDatabase, features: [feature] })
  const alice = await as('alice', ['a:b'])
  const spoilt = await expectJson(await alice('/spoil', { method: 'POST' }))
  expect(await expectJson(await alice('/spoil', { method: 'POST' }))).toEqual(spoilt)
  expect(spoilt).toEqual({ subject: 'alice', scopes: ['a:b'] })
})
