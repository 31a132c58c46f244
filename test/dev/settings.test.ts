import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { developmentEnvironment, developmentSecret } from '#dev/machine/settings.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settings-'))
})

afterAll(() => rm(folder, { recursive: true }))

/** A file of its own for each content. */
async function dotEnv(content: string): Promise<string> {
  const file = join(folder, `${Math.random()}.env`)
  await writeFile(file, content)
  return file
}

const none = 'no-such.env'

test('defaults fill in what is not set, the database excepted', () => {
  expect(developmentEnvironment({ variables: { HOME: '/home/me' }, file: none })).toEqual({
    HOME: '/home/me',
    PORT: '8080',
    ENVIRONMENT: 'development',
    DATA_DIR: '.data',
    AUTH_SECRET: developmentSecret,
  })
})

test('what is set wins over .env, and .env over the defaults', async () => {
  const file = await dotEnv('PORT=1\nDATABASE_URL="postgres://in-file/name"\nLOG_LEVEL=warn # quiet\n')
  const variables = { PORT: '2', DATABASE_URL: 'postgres://set/name' }
  expect(developmentEnvironment({ variables, file })).toMatchObject({ ...variables, LOG_LEVEL: 'warn' })
  expect(developmentEnvironment({ variables: {}, file })).toMatchObject({
    PORT: '1',
    DATABASE_URL: 'postgres://in-file/name',
  })
})

test('an empty string is unset', async () => {
  const file = await dotEnv('PORT=1\nDATABASE_URL=\nENVIRONMENT=')
  const environment = developmentEnvironment({
    variables: { PORT: '', AUTH_SECRET: '', AUTH_JWKS_URL: '' },
    file,
  })
  expect(environment).toMatchObject({ PORT: '1', ENVIRONMENT: 'development', AUTH_SECRET: developmentSecret })
  expect(environment).not.toHaveProperty('DATABASE_URL')
  expect(environment).not.toHaveProperty('AUTH_JWKS_URL')
})

test('the placeholder is no secret of anybody who has one, or an identity provider', () => {
  const own = developmentEnvironment({ variables: { AUTH_SECRET: 'mine' }, file: none })
  expect(own.AUTH_SECRET).toBe('mine')
  const provider = developmentEnvironment({ variables: { AUTH_JWKS_URL: 'https://issuer/keys' }, file: none })
  expect(provider).not.toHaveProperty('AUTH_SECRET')
})

test('the placeholder is long enough for HS256, and says what it is', () => {
  expect(Buffer.byteLength(developmentSecret)).toBeGreaterThanOrEqual(32)
  expect(developmentSecret).toMatch(/development.only.*replace.me/)
})

test('variables for clients of another server are left out, unless that server is given', () => {
  const variables = { PGHOST: 'theirs', PGSSLMODE: 'require', PG_VERSION: '17' }
  expect(Object.keys(developmentEnvironment({ variables, file: none }))).not.toContain('PGHOST')
  expect(developmentEnvironment({ variables, file: none })).toMatchObject({ PG_VERSION: '17' })
  const given = { ...variables, DATABASE_URL: 'postgres://theirs/name' }
  expect(developmentEnvironment({ variables: given, file: none })).toMatchObject(given)
})
