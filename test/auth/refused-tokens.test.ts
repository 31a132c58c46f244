import { expect, test } from 'vitest'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { bearer, forge, goodClaims } from '#test/support/forge.ts'
import { notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'
import { signTestToken } from '#test/support/tokens.ts'

const { api } = await testService({ databaseUrl: noDatabase, features: [notes] })
const now = Math.floor(Date.now() / 1000)
const good = forge()
const [header, payload, signature] = good.split('.')

test('a token of our own is taken', async () => {
  await expectJson(await api('/auth/version', { headers: bearer(await signTestToken({ subject: 'alice' })) }))
  await expectJson(await api('/auth/version', { headers: bearer(good) }))
})

test('the audience may be one of a list', async () => {
  const token = forge({ claims: goodClaims({ aud: ['other', 'service'] }) })
  await expectJson(await api('/auth/version', { headers: bearer(token) }))
})

test('without a token the answer says how to send one', async () => {
  const response = await api('/auth/version')
  expect(response.headers.get('www-authenticate')).toBe('Bearer')
  expect(await expectProblem(response, 401, 'TOKEN_MISSING')).toMatchObject({
    detail: 'Send a token: Authorization: Bearer <token>.',
  })
})

test('an expired token has a code of its own, since clients refresh on it', async () => {
  const response = await api('/auth/version', {
    headers: bearer(forge({ claims: goodClaims({ exp: now - 60 }) })),
  })
  expect(response.headers.get('www-authenticate')).toBe(
    'Bearer error="invalid_token", error_description="The token has expired"',
  )
  await expectProblem(response, 401, 'TOKEN_EXPIRED')
})

const wrongClaims: Record<string, Record<string, unknown>> = {
  'of another issuer': { iss: 'somebody' },
  'of a list of issuers': { iss: ['service'] },
  'without an issuer': { iss: undefined },
  'for another audience': { aud: 'billing' },
  'for other audiences': { aud: ['billing', 'service-2'] },
  'for an audience that ours begins with': { aud: 'run' },
  'without an audience': { aud: undefined },
  'that never expires': { exp: undefined },
  'whose expiry is a text': { exp: String(now + 3600) },
  'whose expiry is null': { exp: null },
  'that is not valid yet': { nbf: now + 60 },
  'whose nbf is a text': { nbf: '0' },
  'without a subject': { sub: undefined },
  'with an empty subject': { sub: '' },
  'whose subject is a number': { sub: 42 },
  'whose subject is null': { sub: null },
  'whose subject is an object': { sub: { id: 'alice' } },
  'whose subject is a list': { sub: ['alice'] },
  'whose subject has more than 1000 bytes, but not so many characters': { sub: 'é'.repeat(501) },
}

test.each(Object.entries(wrongClaims))('a token %s is invalid', async (_name, claims) => {
  await expectInvalid(forge({ claims: goodClaims(claims) }))
})

const malformed: Record<string, string> = {
  'signed with another key': forge({ key: 'another-key-of-more-than-32-bytes-in-all' }),
  'with another payload': `${header}.${forge({ claims: goodClaims({ sub: 'mallory' }) }).split('.')[1]}.${signature}`,
  'with its signature cut off': `${header}.${payload}.`,
  'with half a signature': good.slice(0, -20),
  'of two parts': `${header}.${payload}`,
  'of four parts': `${good}.${signature}`,
  'of five parts, as if encrypted': `${good}.${signature}.${payload}`,
  'that is a word': 'rubbish',
  'of dots': '..',
  'whose header is not JSON': `${Buffer.from('{alg').toString('base64url')}.${payload}.${signature}`,
  'whose payload is a text': forge({ claims: '"alice"' }),
  'whose payload is a list': forge({ claims: [goodClaims()] }),
  'whose payload is null': forge({ claims: 'null' }),
  'whose payload is not JSON': forge({ claims: '{' }),
  'of 14 KB, signed with another key': forge({
    claims: goodClaims({ pad: 'x'.repeat(10_400) }),
    key: 'another',
  }),
  'of 14 KB of one letter': 'a'.repeat(14_000),
}

test.each(Object.entries(malformed))('a token %s is invalid', async (_name, token) => {
  await expectInvalid(token)
})

test('a valid token of 14 KB is taken', async () => {
  const token = forge({ claims: goodClaims({ pad: 'x'.repeat(10_400) }) })
  expect(token.length).toBeGreaterThan(14_000)
  await expectJson(await api('/auth/version', { headers: bearer(token) }))
})

test('a body is not looked at before the token is', async () => {
  const response = await api('/notes', { json: { rubbish: true }, headers: bearer('rubbish') })
  await expectProblem(response, 401, 'TOKEN_INVALID')
})

async function expectInvalid(token: string): Promise<void> {
  const response = await api('/auth/version', { headers: bearer(token) })
  expect(response.headers.get('www-authenticate')).toBe(
    'Bearer error="invalid_token", error_description="The token is not valid"',
  )
  const body = await expectProblem(response, 401, 'TOKEN_INVALID')
  expect(JSON.stringify(body)).not.toContain(token)
}
