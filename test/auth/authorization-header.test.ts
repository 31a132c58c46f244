import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { expect, test } from 'vitest'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { forge, goodClaims } from '#test/support/forge.ts'
import { startNotes } from '#test/support/process.ts'
import { testService } from '#test/support/service.ts'

const { api } = await testService({ databaseUrl: noDatabase, features: [] })
const good = forge()

test.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])('the scheme may be written %s', async (scheme) => {
  await expectJson(await api('/auth/version', { headers: { Authorization: `${scheme} ${good}` } }))
})

test('more than one space before the token is taken', async () => {
  await expectJson(await api('/auth/version', { headers: { Authorization: `Bearer   ${good}` } }))
})

const wrong: Record<string, string> = {
  'another scheme': `Basic ${Buffer.from('alice:secret').toString('base64')}`,
  'a token of another scheme': `Token ${good}`,
  DPoP: `DPoP ${good}`,
  'a scheme that ours begins': `Bearers ${good}`,
  'no scheme': good,
  'no token': 'Bearer',
  'a token in quotes': `Bearer "${good}"`,
  'two tokens': `Bearer ${good} ${good}`,
  'two credentials in one line': `Bearer ${good}, Bearer ${good}`,
  'a token with parameters': `Bearer ${good}, realm="x"`,
  'a letter outside ASCII': `Bearer ${good}\u00e9`,
  'a tab for a space': `Bearer\t${good}`,
}

test.each(Object.entries(wrong))('an Authorization header of %s is invalid', async (_name, Authorization) => {
  const response = await api('/auth/version', { headers: { Authorization } })
  expect(response.headers.get('www-authenticate')).toMatch(
    /^Bearer error="invalid_token", error_description=/,
  )
  await expectProblem(response, 401, 'TOKEN_INVALID')
})

test('an empty header is none', async () => {
  const response = await api('/auth/version', { headers: { Authorization: '' } })
  expect(response.headers.get('www-authenticate')).toBe('Bearer')
  await expectProblem(response, 401, 'TOKEN_MISSING')
})

test('a token in the query, as old clients send it, is not looked at', async () => {
  await expectProblem(await api(`/auth/version?access_token=${good}`), 401, 'TOKEN_MISSING')
})

test('over the wire: one header is taken, two are refused, 14 KB are read, more is 431', async () => {
  const { url } = await startNotes()
  const ask = (authorization: string | string[]) => send(`${url}/auth/version`, authorization)

  expect(await ask(`Bearer ${good}`)).toMatchObject({ status: 200 })
  expect(await ask([`Bearer ${good}`, `Bearer ${good}`])).toMatchObject({
    status: 401,
    code: 'TOKEN_INVALID',
  })
  expect(await ask(['Bearer rubbish', `Bearer ${good}`])).toMatchObject({
    status: 401,
    code: 'TOKEN_INVALID',
  })
  expect(await ask([`Bearer ${good}`, 'Basic eDp5'])).toMatchObject({ status: 401, code: 'TOKEN_INVALID' })
  expect(await ask('')).toMatchObject({ status: 401, code: 'TOKEN_MISSING' })

  const long = forge({ claims: goodClaims({ pad: 'x'.repeat(10_400) }) })
  expect(await ask(`Bearer ${long}`)).toMatchObject({ status: 200 })
  expect(await ask(`Bearer ${long.slice(0, -4)}AAAA`)).toMatchObject({ status: 401, code: 'TOKEN_INVALID' })
  const refused = await ask(`Bearer ${'x'.repeat(17_000)}`)
  expect(refused).toMatchObject({ status: 431, code: 'HEADERS_TOO_LARGE' })
  expect(refused.headers['x-request-id']).toBeDefined()
})

async function send(url: string, authorization: string | string[]) {
  const outgoing = request(url).setHeader('authorization', authorization).end()
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
  const body = JSON.parse((await incoming.toArray()).join('')) as { code?: string }
  return { status: incoming.statusCode, headers: incoming.headers, code: body.code }
}
