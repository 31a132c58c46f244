import { expect, test } from 'vitest'
import { developmentSecret } from '#dev/machine/settings.ts'
import { parseConfig } from '#src/runtime/config/config.ts'
import { problemsOf } from '#test/support/config.ts'

const secret = 'b4Jq0Zr8Vt2Nw6Xy1Kd5Hg9Lm3Pc7Sf0'
const provider = {
  AUTH_JWKS_URL: 'https://idp.example/keys',
  AUTH_ISSUER: 'https://idp.example/',
  AUTH_AUDIENCE: 'me',
}
const onCloudRun = {
  K_SERVICE: 'orders',
  ENVIRONMENT: 'live',
  DATABASE_URL: 'postgres://u:p@/d?host=/cloudsql/p:r:i',
}

test('on Cloud Run a database and a way to tell callers are enough', () => {
  expect(problemsOf({ ...onCloudRun, AUTH_SECRET: secret })).toEqual([])
  expect(problemsOf({ ...onCloudRun, ...provider })).toEqual([])
})

test('on Cloud Run ENVIRONMENT, DATABASE_URL and AUTH_SECRET or AUTH_JWKS_URL are required', () => {
  expect(problemsOf({ K_SERVICE: 'orders' })).toEqual([
    'ENVIRONMENT: is required on Cloud Run: development, staging or live',
    expect.stringMatching(/^DATABASE_URL: is required on Cloud Run: postgres:\/\/.*\/cloudsql\//),
    expect.stringMatching(/^AUTH_SECRET: or AUTH_JWKS_URL is required on Cloud Run/),
  ])
  expect(problemsOf({ ...onCloudRun, AUTH_SECRET: secret, ENVIRONMENT: '' })).toHaveLength(1)
})

test.each(['development', 'staging', 'live'])('on Cloud Run the rules hold in %s alike', (ENVIRONMENT) => {
  expect(problemsOf({ K_SERVICE: 'orders', ENVIRONMENT })).toHaveLength(2)
})

test('a secret is counted in bytes: 32 are enough', () => {
  expect(problemsOf({ ...onCloudRun, AUTH_SECRET: secret.slice(1) })).toEqual([
    'AUTH_SECRET: must be at least 32 bytes: openssl rand -base64 48',
  ])
  expect(problemsOf({ ...onCloudRun, AUTH_SECRET: 'äöüßéèàçñøåæÄÖÜ' })).toHaveLength(1)
  expect(problemsOf({ ...onCloudRun, AUTH_SECRET: 'äöüßéèàçñøåæÄÖÜÉ' })).toEqual([])
})

const placeholders = [
  developmentSecret,
  'change-me-change-me-change-me-change-me',
  'CHANGEME0123456789CHANGEME0123456789',
  'please change this secret before you deploy',
  'replace_with_a_real_secret_of_32_bytes_or_more',
  'placeholder-placeholder-placeholder-1234',
  'your-256-bit-secret-your-256-bit-secret',
  'your_super_secret_key_goes_right_in_here',
  'a very secret text that nobody will ever guess',
  'CorrectHorseBatteryStaplePassword0123456',
  'example-secret-for-the-documentation-only',
  'x'.repeat(48),
  '0123456'.repeat(8),
  ' '.repeat(40),
]

test.each(placeholders)('on Cloud Run the placeholder %j is refused, and not shown', (AUTH_SECRET) => {
  const problems = problemsOf({ ...onCloudRun, AUTH_SECRET })
  expect(problems).toEqual([expect.stringMatching(/^AUTH_SECRET: is a placeholder: replace it/)])
  expect(problems.join()).not.toContain(AUTH_SECRET)
})

test('a secret as `openssl rand` makes it is no placeholder', () => {
  const made = [
    'Zm9vYmFyYmF6cXV4Y29ycmdlZ3JhdWx0Z2FycGx5d2FsZG8=',
    '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c',
  ]
  for (const AUTH_SECRET of made) expect(problemsOf({ ...onCloudRun, AUTH_SECRET })).toEqual([])
})

test('off Cloud Run a short secret or a placeholder will do', () => {
  for (const AUTH_SECRET of ['short', developmentSecret]) {
    expect(problemsOf({ AUTH_SECRET, ENVIRONMENT: 'live' })).toEqual([])
  }
})

test('a secret and a provider exclude each other, everywhere', () => {
  for (const place of [{}, onCloudRun]) {
    expect(problemsOf({ ...place, ...provider, AUTH_SECRET: secret })).toEqual([
      expect.stringMatching(/^AUTH_SECRET: and AUTH_JWKS_URL exclude each other/),
    ])
  }
})

test('with a provider, its issuer and the audience must be said: the defaults are our own', () => {
  const { AUTH_JWKS_URL } = provider
  for (const place of [{}, onCloudRun]) {
    expect(problemsOf({ ...place, AUTH_JWKS_URL })).toEqual([
      expect.stringMatching(/^AUTH_ISSUER: is required with AUTH_JWKS_URL/),
      expect.stringMatching(/^AUTH_AUDIENCE: is required with AUTH_JWKS_URL/),
    ])
    expect(problemsOf({ ...place, ...provider, AUTH_AUDIENCE: '' })).toHaveLength(1)
  }
  expect(parseConfig(provider)).toMatchObject(provider)
})

test('what OpenTelemetry’s other variables ask for stops the start, if traces are on', () => {
  const traces = { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://telemetry.googleapis.com' }
  const asked = {
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'api-key=secret',
    OTEL_RESOURCE_ATTRIBUTES: 'team=shop',
    OTEL_SDK_DISABLED: 'true',
  }
  const problems = problemsOf({ ...asked, ...traces })
  expect(problems.map((problem) => problem.split(':', 1)[0])).toEqual([
    ...['OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'OTEL_EXPORTER_OTLP_PROTOCOL'],
    ...['OTEL_RESOURCE_ATTRIBUTES', 'OTEL_SDK_DISABLED'],
  ])
  expect(problems[1]).toMatch(/^OTEL_EXPORTER_OTLP_PROTOCOL: must be http\/protobuf or unset, /)
  expect(problems.join()).not.toContain('secret')
  expect(problemsOf(asked)).toEqual([])
})

test('an endpoint of traces alone stops the start, and the values that change nothing do not', () => {
  expect(problemsOf({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://localhost:4318/v1/traces' })).toEqual([
    expect.stringMatching(
      /^OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: must be unset.*set OTEL_EXPORTER_OTLP_ENDPOINT/,
    ),
  ])
  const harmless = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_SDK_DISABLED: 'false',
    OTEL_METRICS_EXPORTER: 'none',
  }
  expect(problemsOf(harmless)).toEqual([])
})
