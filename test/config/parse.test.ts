import { expect, test } from 'vitest'
import { z } from 'zod'
import { ConfigError, describeConfig, parseConfig, parseDatabase } from '#src/runtime/config/config.ts'
import type { Variables } from '#src/runtime/config/parse-values.ts'
import { integer } from '#src/runtime/config/values.ts'
import { problemsOf } from '#test/support/config.ts'

test('nothing needs to be set in development', () => {
  expect(parseConfig({})).toEqual({
    ...{
      PORT: 8080,
      ENVIRONMENT: 'development',
      ALLOWED_HOSTS: [],
      HSTS_INCLUDE_SUBDOMAINS: false,
      HTTP_CREDENTIALS: 'redirect',
    },
    ...{ DATABASE_POOL: 10, AUTH_ISSUER: 'service', AUTH_AUDIENCE: 'service', AUTH_TOKEN_TTL: 86_400 },
    ...{ OTEL_TRACES_SAMPLER: 'parentbased_always_off', OTEL_BSP_SCHEDULE_DELAY: 5000 },
    ...{
      LOG_LEVEL: 'debug',
      DOCS: true,
      REPLY_CHECK: 'fail',
      REQUEST_TIMEOUT: 300,
      TRUSTED_PROXIES: 1,
      COMMIT: 'unknown',
      GCE_METADATA_HOST: '169.254.169.254',
    },
  })
})

test.each([
  ['development', 'debug', 'fail', true],
  ['staging', 'info', 'fail', true],
  ['live', 'info', 'strip', false],
])(
  'ENVIRONMENT=%s sets LOG_LEVEL=%s, REPLY_CHECK=%s and DOCS=%s, unless they are set',
  (ENVIRONMENT, LOG_LEVEL, REPLY_CHECK, DOCS) => {
    expect(parseConfig({ ENVIRONMENT })).toMatchObject({ LOG_LEVEL, REPLY_CHECK, DOCS })
    expect(parseConfig({ ENVIRONMENT, DOCS: `${!DOCS}` }).DOCS).toBe(!DOCS)
    const set = { LOG_LEVEL: 'error', REPLY_CHECK: ENVIRONMENT === 'live' ? 'fail' : 'strip' }
    expect(parseConfig({ ENVIRONMENT, ...set })).toMatchObject(set)
  },
)

test('an empty text is unset, for every variable', () => {
  const names = Object.keys(parseConfig({})).concat(
    'SERVICE_URL',
    'DATABASE_URL',
    'AUTH_SECRET',
    'K_SERVICE',
    'CORS_ORIGINS',
  )
  expect(parseConfig(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(parseConfig({}))
  expect(parseConfig({ PORT: undefined })).toEqual(parseConfig({}))
})

test('what is not the service’s own is not looked at', () => {
  expect(parseConfig({ PATH: '/bin', HOME: '/root', port: '80', __proto__: 'x' })).toEqual(parseConfig({}))
})

test('every problem is reported at once, by name, with what would be right, and without the value', () => {
  const problems = problemsOf({
    PORT: 'hunter2',
    ENVIRONMENT: 'hunter2',
    DATABASE_URL: 'mysql://root:hunter2@db/orders',
    AUTH_SECRET: 'hunter2',
    AUTH_JWKS_URL: 'http://u:hunter2@idp/keys',
    CORS_ORIGINS: 'hunter2',
    ALLOWED_HOSTS: 'hunter2/x, hunter2/y',
    K_SERVICE: 'orders',
  })
  expect(problems.map((problem) => problem.split(':')[0])).toEqual([
    ...['PORT', 'ENVIRONMENT', 'ALLOWED_HOSTS', 'DATABASE_URL', 'AUTH_JWKS_URL', 'CORS_ORIGINS'],
    ...['AUTH_SECRET', 'AUTH_ISSUER', 'AUTH_AUDIENCE', 'AUTH_SECRET'],
  ])
  for (const problem of problems) expect(problem).toMatch(/: (must|and|is required) .{10,}/)
  expect(problems.join()).not.toContain('hunter2')
})

test('the message of the error holds every problem, a line each', () => {
  const error = new ConfigError(['PORT: must be right', 'AUTH_SECRET: must be longer'])
  expect(error.message).toBe(
    'The configuration is not usable:\n  PORT: must be right\n  AUTH_SECRET: must be longer',
  )
})

const notes = { NOTES_LIMIT: integer(1, 100).default(10), NOTES_KEY: z.string() } satisfies Variables
const mail = { MAIL_FROM: z.email().meta({ shown: true }) } satisfies Variables

test('the variables of every feature are parsed with the runtime’s', () => {
  const set = { NOTES_KEY: 'secret', MAIL_FROM: 'a@example.com', PORT: '1' }
  expect(parseConfig(set, [notes, mail])).toEqual({
    ...parseConfig({ PORT: '1' }),
    ...{ NOTES_LIMIT: 10, NOTES_KEY: 'secret', MAIL_FROM: 'a@example.com' },
  })
})

test('their problems are reported with the runtime’s', () => {
  const set = { PORT: 'x', NOTES_LIMIT: '101', MAIL_FROM: 'hunter2' }
  expect(problemsOf(set, [notes, mail])).toEqual([
    'PORT: must be a whole number from 0 to 65535',
    'NOTES_LIMIT: must be a whole number from 1 to 100',
    'NOTES_KEY: is required but not set',
    'MAIL_FROM: Invalid email address',
  ])
})

test('an empty text is unset for a feature as well', () => {
  expect(problemsOf({ NOTES_KEY: '', NOTES_LIMIT: '' }, [notes])).toEqual([
    'NOTES_KEY: is required but not set',
  ])
})

test.each([
  ['of two features', [{ NOTES_KEY: z.string() }, notes]],
  ['of a feature and the runtime', [{ PORT: z.string() }]],
])('a name %s stops the start', (_name, features) => {
  expect(() => parseConfig({}, features)).toThrow(
    /^The variable (NOTES_KEY|PORT) is defined twice: rename one\.$/,
  )
})

test('a feature that is mounted twice, or shares a schema, is no clash', () => {
  const shared = { NOTES_KEY: notes.NOTES_KEY }
  expect(parseConfig({ NOTES_KEY: 'x' }, [notes, notes, shared])).toMatchObject({ NOTES_KEY: 'x' })
})

test('the effective configuration shows its values, secrets only as "set"', () => {
  const set = {
    DATABASE_URL: 'postgres://u:hunter2@h/d',
    AUTH_SECRET: 'hunter2',
    NOTES_KEY: 'hunter2',
    MAIL_FROM: 'a@example.com',
  }
  const shown = describeConfig(parseConfig(set, [notes, mail]), [notes, mail])
  expect(shown).toMatchObject({ PORT: 8080, AUTH_ISSUER: 'service', MAIL_FROM: 'a@example.com' })
  expect(shown).toMatchObject({
    DATABASE_URL: 'set',
    AUTH_SECRET: 'set',
    NOTES_KEY: 'set',
    NOTES_LIMIT: 'set',
  })
  expect(JSON.stringify(shown)).not.toContain('hunter2')
  expect(Object.keys(shown)).not.toContain('AUTH_COOKIE')
})

test('the migrations need DATABASE_URL alone', () => {
  const DATABASE_URL = 'postgres://u:p@/d?host=/cloudsql/p:r:i'
  expect(parseDatabase({ DATABASE_URL, PORT: 'rubbish', K_SERVICE: 'x' }).url).toBe(DATABASE_URL)
  expect(() => parseDatabase({})).toThrow('DATABASE_URL: is required but not set')
  expect(() => parseDatabase({ DATABASE_URL: '' })).toThrow('DATABASE_URL: is required but not set')
  expect(() => parseDatabase({ DATABASE_URL: 'mysql://u:hunter2@h' })).toThrow(
    'DATABASE_URL: must be a PostgreSQL',
  )
})
