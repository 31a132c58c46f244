import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { client } from '#test/support/client.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { bearer, type ForgedClaims, forge, goodClaims, providerKey } from '#test/support/forge.ts'
import { startProvider } from '#test/support/provider.ts'
import { testTasks } from '#test/support/task-variables.ts'
import { as, testAuth } from '#test/support/tokens.ts'
import { trial } from './trial.ts'

const runs: unknown[] = []
const work = defineTask({
  name: 'trial.work',
  payload: z.object({}),
  async run() {
    runs.push(1)
  },
})
const google = providerKey('google', 'RS256')
const stranger = providerKey('google', 'RS256')
const curve = providerKey('curve', 'ES256')
const provider = await startProvider(google, curve)
const issuers = ['https://accounts.google.com', 'accounts.google.com']
const audience = 'https://trial.example'
const service = await trial({
  tasks: [work],
  environment: { OIDC_JWKS_URL: provider.url, OIDC_ISSUERS: issuers.join(','), TASKS_AUDIENCE: audience },
})
const { lines, ledger, app } = service

/** A token as Google signs it for the invoker, but for these claims. */
function token(claims: ForgedClaims = {}, key = google, header: object = {}): string {
  const usual = { iss: issuers[0], aud: audience, email: testTasks.TASKS_INVOKER, email_verified: true }
  return forge({
    header: { alg: key.alg, kid: key.kid, typ: 'JWT', ...header },
    claims: goodClaims({ ...usual, sub: '107517467455664443765', ...claims }),
    key: key.privateKey,
  })
}

let id = ''
const callback = (headers: Record<string, string>, api = client(app)) =>
  api('/runtime/callbacks/trial.work', { json: { id, dispatch: 1 }, headers })
const tick = (headers: Record<string, string>) => client(app)('/runtime/tick', { method: 'POST', headers })

beforeEach(async () => {
  await service.clear()
  runs.length = 0
  id = (await service.request((tx) => enqueue(tx, work, {}))).id
})

test.each(issuers)('the invoker’s token from %s is taken, by the callback and by the tick', async (iss) => {
  expect(await expectJson(await tick(bearer(token({ iss }))))).toMatchObject({ sent: 0 })
  expect(await expectJson(await callback(bearer(token({ iss }))))).toEqual({ outcome: 'done' })
  expect(runs).toHaveLength(1)
})

const now = Math.floor(Date.now() / 1000)
const [head, body] = token().split('.')
const pem = google.publicKey.export({ type: 'spki', format: 'pem' }).toString()
const invoker = testTasks.TASKS_INVOKER

describe('refused, with nothing run:', () => {
  afterEach(async () => {
    expect(runs).toEqual([])
    expect(await ledger()).toMatchObject([{ state: 'queued', attempts: 0 }])
  })

  test.each([
    ['no token at all', {}],
    ['headers of Cloud Tasks alone', { 'X-CloudTasks-QueueName': 'default', 'X-CloudTasks-TaskName': 'x' }],
    [
      'headers of Cloud Scheduler alone',
      { 'X-CloudScheduler': 'true', 'User-Agent': 'Google-Cloud-Scheduler' },
    ],
    ['a token in a cookie', { Cookie: `session=${token()}` }],
  ] as [string, Record<string, string>][])('%s: 401', async (_what, headers) => {
    await expectProblem(await callback(headers), 401, 'TOKEN_MISSING')
    await expectProblem(await tick(headers), 401, 'TOKEN_MISSING')
  })

  test.each([
    ['signed by another key', token({}, stranger)],
    ['signed by an unknown key', token({}, google, { kid: 'unknown' })],
    ['for another audience', token({ aud: 'https://other.example' })],
    ['for no audience', token({ aud: undefined })],
    ['for a path below ours', token({ aud: `${audience}/runtime/callbacks/trial.work` })],
    ['from another issuer', token({ iss: 'https://accounts.example' })],
    ['from no issuer', token({ iss: undefined })],
    ['signed by HS256 with the public key', forge({ header: { alg: 'HS256', kid: 'google' }, key: pem })],
    ['of no algorithm', forge({ header: { alg: 'none' }, claims: goodClaims() }).replace(/[^.]*$/, '')],
    ['signed by a curve of the same provider', token({}, curve)],
    ['without a subject', token({ sub: undefined })],
    ['not valid yet', token({ nbf: now + 600 })],
    ['that never expires', token({ exp: undefined })],
    ['that names its own key', token({}, google, { jwk: stranger.jwk })],
    ['that is none', 'Bearer'],
  ])('a token %s: 401', async (_what, forged) => {
    await expectProblem(await callback(bearer(forged)), 401, 'TOKEN_INVALID')
    await expectProblem(await tick(bearer(forged)), 401, 'TOKEN_INVALID')
  })

  test('a true one under another scheme: 401', async () => {
    await expectProblem(await callback({ Authorization: `Basic ${token()}` }), 401, 'TOKEN_INVALID')
  })

  test('one that has expired: 401', async () => {
    await expectProblem(await callback(bearer(token({ exp: now - 60 }))), 401, 'TOKEN_EXPIRED')
  })

  test.each([
    ['of another account', { email: 'other@test.iam.gserviceaccount.com' }],
    ['of an account that ends alike', { email: `evil-${invoker}` }],
    ['of the account in other letters', { email: invoker.toUpperCase() }],
    ['of no account', { email: undefined }],
    ['of a list with the account', { email: [invoker] }],
    ['whose e-mail is not verified', { email_verified: false }],
    ['that does not say so', { email_verified: undefined }],
    ['that says so in a text', { email_verified: 'true' }],
    ['that says so by a number', { email_verified: 1 }],
  ])('a true token %s: 403', async (_what, claims) => {
    await expectProblem(await callback(bearer(token(claims))), 403, 'INVOKER_REQUIRED')
    await expectProblem(await tick(bearer(token(claims))), 403, 'INVOKER_REQUIRED')
  })

  test('a user’s token of the service itself, whatever its scopes: 401', async () => {
    const alice = await as(invoker, ['runtime:admin'])
    await expectProblem(await callback(alice), 401, 'TOKEN_INVALID')
    const claims = { aud: audience, iss: issuers[0], email: invoker, email_verified: true, sub: 'alice' }
    const forged = forge({ claims: goodClaims(claims), key: testAuth.secret })
    await expectProblem(await callback(bearer(forged)), 401, 'TOKEN_INVALID')
  })

  test('one whose signature Google removed: 401, and a log line says why and what to do', async () => {
    const removed = `${head}.${body}.SIGNATURE_REMOVED_BY_GOOGLE`
    await expectProblem(await callback(bearer(removed)), 401, 'TOKEN_INVALID')
    expect(lines.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/signature removed.*IAM.*--no-invoker-iam-check/s),
    )
  })

  test('the keys cannot be had: 503, to come back', async () => {
    const down = await startProvider(google)
    await down.stop()
    const cut = await trial({
      tasks: [work],
      databaseUrl: service.databaseUrl,
      environment: { OIDC_JWKS_URL: down.url },
    })
    const response = await callback(bearer(token()), cut.api)
    expect(response.headers.get('retry-after')).toBe('5')
    await expectProblem(response, 503, 'IDENTITY_UNAVAILABLE')
  })
})

test('the invoker’s token opens nothing else', async () => {
  const list = await client(app)('/runtime/tasks', { headers: bearer(token()) })
  await expectProblem(list, 401, 'TOKEN_INVALID')
  expect((await client(app)('/auth/version', { headers: bearer(token()) })).status).toBe(401)
})
