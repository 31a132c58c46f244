import { createRemoteJWKSet, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { realClock } from '#dev/cloud-tasks/clock.ts'
import { startTarget, testEmulator } from '#test/support/emulator.ts'

const target = await startTarget()
const { emulator, create, lines } = await testEmulator()
const email = 'tasks@test.iam.gserviceaccount.com'

/** The last token that the target got, verified as a service would. */
async function verified(audience: string) {
  const token = target.received.at(-1)?.headers.authorization?.replace(/^Bearer /, '') ?? ''
  const discovery = await fetch(`${emulator.issuer}/.well-known/openid-configuration`)
  const { issuer, jwks_uri } = (await discovery.json()) as { issuer: string; jwks_uri: string }
  const options = { issuer, audience, algorithms: ['RS256'] }
  return (await jwtVerify(token, createRemoteJWKSet(new URL(jwks_uri)), options)).payload
}

test('a task with an account brings a token for its audience, made when it is dispatched', async () => {
  const before = Math.floor(Date.now() / 1000)
  const headers = { authorization: 'mine' }
  const oidcToken = { serviceAccountEmail: email, audience: 'https://service.example' }
  await create(target.url, { httpRequest: { headers, oidcToken } })
  await emulator.settle()
  const claims = await verified('https://service.example')
  expect(claims).toEqual({
    ...{ iss: emulator.issuer, aud: 'https://service.example', email, email_verified: true },
    ...{ sub: expect.stringMatching(/^\d{21}$/), azp: claims.sub, iat: expect.any(Number) },
    exp: (claims.iat ?? 0) + 3600,
  })
  expect(claims.iat).toBeGreaterThanOrEqual(before)
})

test('the audience is the URL where none is given', async () => {
  await create(`${target.url}?a=1`, { httpRequest: { oidcToken: { serviceAccountEmail: email } } })
  await emulator.settle()
  expect(await verified(`${target.url}?a=1`)).toMatchObject({ email })
})

test('a task without an account brings no token', async () => {
  await create(target.url)
  await emulator.settle()
  expect(target.received.at(-1)?.headers).not.toHaveProperty('authorization')
})

test('tokens that are wrong in one way can be had', async () => {
  const token = await emulator.oidc.sign({ aud: 'me', email, email_verified: false, exp: 1 })
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  expect(claims).toMatchObject({ iss: emulator.issuer, aud: 'me', email_verified: false, exp: 1 })
})

const tick = { url: new URL('/tick', target.url).href, audience: 'me', email }

test('a tick is a call of Cloud Scheduler with such a token', async () => {
  expect(await emulator.tick(tick)).toBe(200)
  expect(target.received.at(-1)).toMatchObject({
    ...{ method: 'POST', path: '/tick', body: '' },
    headers: {
      ...{ 'user-agent': 'Google-Cloud-Scheduler', 'x-cloudscheduler': 'true', 'content-length': '0' },
      'content-type': 'application/octet-stream',
    },
  })
  expect(await verified('me')).toMatchObject({ email })
})

test('a tick that fails is logged, one that reaches nobody is not', async () => {
  target.answers = [404]
  expect(await emulator.tick(tick)).toBe(404)
  expect(lines.at(-1)).toBe(`tick: POST ${tick.url} 404`)
  const count = lines.length
  expect(await emulator.tick({ ...tick, url: 'http://127.0.0.1:1/' })).toBe(504)
  expect(lines).toHaveLength(count)
})

test('scheduled ticks come every so often, until they are ended, or the emulator is', async () => {
  const { emulator } = await testEmulator()
  const ticks = (name: string) => target.received.filter(({ path }) => path === `/tick?${name}`).length
  const every = (name: string) => ({ ...tick, url: `${tick.url}?${name}`, everySeconds: 0.02 })
  const reach = (name: string, count: number) => expect.poll(() => ticks(name)).toBeGreaterThanOrEqual(count)
  const end = emulator.schedule(every('first'))
  await reach('first', 3)
  end()
  emulator.schedule(every('second'))
  await reach('second', 1)
  await emulator.close()
  const other = await testEmulator()
  other.emulator.schedule(every('third'))
  await reach('third', 2) // by now, what was on its way when the others ended has come
  const before = [ticks('first'), ticks('second')]
  await reach('third', 5)
  expect([ticks('first'), ticks('second')]).toEqual(before)
  await other.emulator.close()
})

test('a tick, the clock and the state can be had over HTTP', async () => {
  const post = async (path: string, body: object) => {
    const response = await fetch(`${emulator.url}${path}`, { method: 'POST', body: JSON.stringify(body) })
    return [response.status, await response.json()]
  }
  expect(await post('/emulator/tick', tick)).toEqual([200, { status: 200 }])
  const before = emulator.now()
  expect(await post('/emulator/clock', { advance: '2h' })).toEqual([
    200,
    { now: new Date(before + 7_200_000).toISOString() },
  ])
  expect((await post('/emulator/clock', { advance: 'soon' }))[0]).toBe(400)
  const { emulator: real } = await testEmulator({ clock: realClock() })
  const body = '{"advance":"1h"}'
  const moved = await fetch(`${real.url}/emulator/clock`, { method: 'POST', body })
  expect(moved.status).toBe(200)
  expect(real.now() - Date.now()).toBeGreaterThan(3_590_000)

  const id = await create(target.url)
  const state = (await (await fetch(`${emulator.url}/emulator`)).json()) as { attempts: unknown[] }
  expect(state).toMatchObject({ queues: [{ state: 'RUNNING' }], tasks: [{ task: id }] })
  expect(state.attempts.length).toBeGreaterThan(0)
})

test('the issuer can be another than its own URL', async () => {
  const { emulator } = await testEmulator({ issuer: 'https://accounts.google.com' })
  expect(emulator.issuer).toBe('https://accounts.google.com')
  const discovery = await (await fetch(`${emulator.url}/.well-known/openid-configuration`)).json()
  expect(discovery).toMatchObject({ issuer: 'https://accounts.google.com', jwks_uri: emulator.keysUrl })
})
