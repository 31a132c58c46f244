import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readContract } from '#dev/caller/contract.ts'
import { developmentSecret } from '#dev/machine/settings.ts'
import { scopesIn } from '#src/runtime/openapi/scopes.ts'

let folder: string // without a .env
const scopes = scopesIn(readContract())

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'token-'))
})

afterAll(() => rm(folder, { recursive: true }))

function token(args: string[] = [], environment: Record<string, string> = {}) {
  const unset = { AUTH_SECRET: '', AUTH_JWKS_URL: '', AUTH_ISSUER: '', AUTH_AUDIENCE: '' }
  const env = { ...process.env, ...unset, ...environment }
  const { stdout, stderr, status } = spawnSync(process.execPath, [resolve('dev/token.ts'), ...args], {
    cwd: folder,
    env,
    encoding: 'utf8',
  })
  return { stdout, stderr, status }
}

function verify(jwt: string, secret = developmentSecret, issuer = 'service', audience = 'service') {
  return jwtVerify(jwt.trim(), new TextEncoder().encode(secret), { issuer, audience, algorithms: ['HS256'] })
}

test('prints a token for alice with all scopes of the contract, good for a day, and nothing else', async () => {
  const { stdout, stderr, status } = token()
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  const { payload } = await verify(stdout)
  expect(payload).toEqual({
    iss: 'service',
    aud: 'service',
    sub: 'alice',
    scope: scopes.join(' '),
    iat: expect.any(Number),
    exp: (payload.iat ?? 0) + 86_400,
  })
})

test.each([
  ['45', 45],
  ['7d', 604_800],
])('--expires-in %s', async (text, seconds) => {
  const { payload } = await verify(
    token(['--sub', 'bob', '--scope', 'orders:read', '--expires-in', text]).stdout,
  )
  expect(payload).toMatchObject({ sub: 'bob', scope: 'orders:read', exp: (payload.iat ?? 0) + seconds })
})

test('takes secret, issuer and audience from the environment', async () => {
  const secret = 'a secret of my own, and a long one'
  const { stdout } = token([], { AUTH_SECRET: secret, AUTH_ISSUER: 'me', AUTH_AUDIENCE: 'you' })
  await verify(stdout, secret, 'me', 'you')
})

test.each([
  [['--subject', 'bob'], '--subject'],
  [['bob'], 'bob'],
  [['--sub'], '--sub'],
  [['--sub', ''], '--sub must not be empty'],
  [['--expires-in', 'soon'], '--expires-in must be'],
  [['--expires-in', '0'], '--expires-in must be'],
])('%j is refused with the usage', (args, problem) => {
  const { stdout, stderr, status } = token(args)
  expect({ stdout, status }).toEqual({ stdout: '', status: 2 })
  expect(stderr).toContain(problem)
  expect(stderr).toContain('Usage: npm run -s token -- ')
})

test('with an identity provider it says where tokens come from', () => {
  const { stdout, stderr, status } = token([], { AUTH_JWKS_URL: 'https://issuer.example/keys' })
  expect({ stdout, status }).toEqual({ stdout: '', status: 1 })
  expect(stderr).toBe('AUTH_JWKS_URL is set: get a token from that provider (https://issuer.example/keys).\n')
})
