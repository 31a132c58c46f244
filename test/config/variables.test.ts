import { expect, test } from 'vitest'
import { type Config, parseConfig, parseDatabase } from '#src/runtime/config/config.ts'
import { runtimeVariables } from '#src/runtime/config/variables.ts'
import { problemsOf } from '#test/support/config.ts'

const provider = { AUTH_JWKS_URL: 'https://idp.example/keys', AUTH_ISSUER: 'idp', AUTH_AUDIENCE: 'me' }

const right: [name: keyof Config, text: string, value: unknown][] = [
  ['PORT', '0', 0],
  ['PORT', '8081', 8081],
  ['PORT', '65535', 65535],
  ['ENVIRONMENT', 'development', 'development'],
  ['ENVIRONMENT', 'staging', 'staging'],
  ['ENVIRONMENT', 'live', 'live'],
  ['SERVICE_URL', 'https://orders.example.com', 'https://orders.example.com'],
  ['SERVICE_URL', 'https://Orders.Example.com/', 'https://orders.example.com'],
  ['SERVICE_URL', 'http://localhost:8080', 'http://localhost:8080'],
  ['ALLOWED_HOSTS', 'a.example', ['a.example']],
  ['ALLOWED_HOSTS', ' A.example , b.example:8443 ,', ['a.example', 'b.example:8443']],
  ['HSTS_INCLUDE_SUBDOMAINS', 'true', true],
  ['HSTS_INCLUDE_SUBDOMAINS', 'false', false],
  ['DATABASE_URL', 'postgres://u:p@h:5432/d', 'postgres://u:p@h:5432/d'],
  ['DATABASE_URL', 'postgresql://h/d', 'postgresql://h/d'],
  ['DATABASE_URL', 'postgres://u:p@/d?host=/cloudsql/p:r:i', 'postgres://u:p@/d?host=/cloudsql/p:r:i'],
  ['DATABASE_URL', 'postgres://u:p%40%2F%3F%23%25@h/d', 'postgres://u:p%40%2F%3F%23%25@h/d'],
  ['DATABASE_URL', 'postgres://u:p@h', 'postgres://u:p@h'],
  ['DATABASE_URL', 'postgres://u:p@h/d?sslmode=require', 'postgres://u:p@h/d?sslmode=require'],
  ['HTTP_CREDENTIALS', 'redirect', 'redirect'],
  ['HTTP_CREDENTIALS', 'refuse', 'refuse'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'https://telemetry.googleapis.com', 'https://telemetry.googleapis.com'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://localhost:4318', 'http://localhost:4318'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'Api-Key=a%20b, tenant=1==', { 'api-key': 'a b', tenant: '1==' }],
  ['OTEL_SERVICE_NAME', 'shop', 'shop'],
  ['OTEL_TRACES_SAMPLER', 'always_on', 'always_on'],
  ['OTEL_BSP_SCHEDULE_DELAY', '0', 0],
  ['DATABASE_POOL', '1', 1],
  ['DATABASE_POOL', '500', 500],
  ['AUTH_SECRET', 'short, off Cloud Run', 'short, off Cloud Run'],
  ['AUTH_JWKS_URL', 'https://idp.example/keys?v=2', 'https://idp.example/keys?v=2'],
  ['AUTH_JWKS_URL', 'http://127.0.0.1:9000/keys', 'http://127.0.0.1:9000/keys'],
  ['AUTH_JWKS_URL', 'http://localhost:9000/keys', 'http://localhost:9000/keys'],
  ['AUTH_JWKS_URL', 'http://[::1]:9000/keys', 'http://[::1]:9000/keys'],
  ['AUTH_ISSUER', 'https://idp.example/', 'https://idp.example/'],
  ['AUTH_AUDIENCE', 'orders', 'orders'],
  ['AUTH_COOKIE', '__Host-session', '__Host-session'],
  ['AUTH_TOKEN_TTL', '3600', 3600],
  ['AUTH_TOKEN_TTL', '15m', 900],
  ['AUTH_TOKEN_TTL', '24h', 86_400],
  ['AUTH_TOKEN_TTL', '8760h', 31_536_000],
  ['LOG_LEVEL', 'debug', 'debug'],
  ['LOG_LEVEL', 'silent', 'silent'],
  ['CORS_ORIGINS', '*', '*'],
  ['CORS_ORIGINS', 'https://a.example', ['https://a.example']],
  [
    'CORS_ORIGINS',
    'https://a.example, http://localhost:3000/',
    ['https://a.example', 'http://localhost:3000'],
  ],
  ['DOCS', 'true', true],
  ['DOCS', 'false', false],
  ['DOCS_TOKEN', 'a.b.c', 'a.b.c'],
  ['REPLY_CHECK', 'strip', 'strip'],
  ['REPLY_CHECK', 'fail', 'fail'],
  ['REQUEST_TIMEOUT', '300s', 300],
  ['REQUEST_TIMEOUT', '1', 1],
  ['REQUEST_TIMEOUT', '60m', 3600],
  ['TRUSTED_PROXIES', '2', 2],
  ['TRUSTED_PROXIES', '0', 0],
  ['GCE_METADATA_HOST', 'metadata.google.internal', 'metadata.google.internal'],
  ['GCE_METADATA_HOST', '127.0.0.1:8080', '127.0.0.1:8080'],
  ['VERSION', '1.4.0', '1.4.0'],
  ['COMMIT', '4b825dc6', '4b825dc6'],
  ['GOOGLE_CLOUD_PROJECT', 'my-project', 'my-project'],
  ['K_REVISION', 'orders-00001-abc', 'orders-00001-abc'],
]

/** What a variable does not go without. */
const beside = (name: string) => (name === 'AUTH_JWKS_URL' ? provider : {})

test.each(right)('%s may be %j', (name, text, value) => {
  expect(parseConfig({ ...beside(name), [name]: text })[name]).toEqual(value)
})

const wrong: [name: keyof Config, texts: string[], message: string][] = [
  [
    'PORT',
    ['-1', '65536', '80.5', '0x50', '1e3', ' 80', '80 ', 'http', '+80', '٣'],
    'must be a whole number from 0 to 65535',
  ],
  ['ENVIRONMENT', ['production', 'Live', 'dev', ' live'], 'must be one of development, staging, live'],
  [
    'SERVICE_URL',
    [
      'orders.example.com',
      'https://a.example/path',
      'https://u:p@a.example',
      'ftp://a.example',
      'https://a.example?x',
      '//a.example',
      'javascript:x',
    ],
    'must be an origin such as',
  ],
  [
    'ALLOWED_HOSTS',
    [
      'https://a.example',
      'a.example/path',
      'a example',
      'u@a.example',
      'a.example,,-b',
      '*',
      'a.example:x',
      'a.0',
      'a.example:99999',
    ],
    'must list host names such as',
  ],
  ['HSTS_INCLUDE_SUBDOMAINS', ['1', 'yes', 'TRUE', 'on'], 'must be true or false'],
  [
    'DATABASE_URL',
    [
      ...['mysql://h/d', 'h/d', 'https://h/d', ' postgres://h/d', 'postgres:h/d'],
      ...['postgres://u:p/w@h/d', 'postgres://u:p?w@h/d', 'postgres://u:p#w@h/d', 'postgres://u:p%w@h/d'],
      ...['postgres://u:12/34@h/d', 'postgres://u:12?34@h/d', 'postgres://u:12#34@h/d'],
      ...[
        'postgres://u:p@h:port/d',
        'postgres://u:p@h:99999/d',
        'postgres://u:p@h o/d',
        'postgres://u:p@h/d/e',
      ],
    ],
    'must be a PostgreSQL URL: postgres://',
  ],
  [
    'GCE_METADATA_HOST',
    ['http://h', 'h:port', 'h/p', 'a b', 'a.0'],
    'must be a host such as metadata.google.internal',
  ],
  ['TRUSTED_PROXIES', ['-1', '10', 'one', '1.5'], 'must be a whole number from 0 to 9'],
  ['DATABASE_POOL', ['0', '501', '-5', 'many', '1.5'], 'must be a whole number from 1 to 500'],
  [
    'AUTH_JWKS_URL',
    [
      'http://idp.example/keys',
      'idp.example/keys',
      'file:///keys',
      'http://127.0.0.1.example/keys',
      'http://localhost.example/',
      'https://u:p@idp.example/keys',
      'https://:p@idp.example/keys',
      'http://10.0.0.1/keys',
    ],
    'must be an https:// URL',
  ],
  [
    'AUTH_COOKIE',
    ['a b', 'a;b', 'a=b', 'a,b', 'ä', '"a"', 'x'.repeat(101)],
    'must be a cookie name such as session',
  ],
  [
    'AUTH_TOKEN_TTL',
    ['0', '1d', '8761h', '1.5h', '-5m', '24 h', 'h', '24H', '1e3'],
    'must be a duration from 1s to 31536000s, such as',
  ],
  ['LOG_LEVEL', ['trace', 'INFO', 'verbose', 'warning'], 'must be one of debug, info, warn, error, silent'],
  [
    'CORS_ORIGINS',
    [
      'a.example',
      'https://a.example/x',
      '*,https://a.example',
      'https://*.example',
      'null',
      'https://a.example;https://b.example',
    ],
    'must be * or a list of origins',
  ],
  ['HTTP_CREDENTIALS', ['403', 'Refuse', 'true'], 'must be one of redirect, refuse'],
  [
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    [
      'http://collector:4318',
      'localhost:4318',
      'https://a.example.com?key=1',
      'https://a.example.com/#a',
      'https://u:p@a.example.com',
    ],
    'must be an https:// URL',
  ],
  [
    'OTEL_EXPORTER_OTLP_HEADERS',
    ['api-key', 'a=%', 'a=%0d%0aInjected: 1', 'a=%01', 'a=%E2%82%AC', '=b', 'a b=c'],
    'must be pairs such as',
  ],
  ['OTEL_TRACES_SAMPLER', ['always_off', 'on'], 'must be one of parentbased_always_off, always_on'],
  ['OTEL_BSP_SCHEDULE_DELAY', ['5s', '-1'], 'must be'],
  ['DOCS', ['on', 'True', '1'], 'must be true or false'],
  ['REPLY_CHECK', ['off', 'Strip', 'true'], 'must be one of strip, fail'],
  [
    'REQUEST_TIMEOUT',
    ['0', '3601', '2h', '5 minutes', '-1s'],
    'must be a duration from 1s to 3600s, such as 90, 90s, 5m or 24h',
  ],
]

test.each(wrong.flatMap(([name, texts, message]) => texts.map((text) => [name, text, message] as const)))(
  '%s may not be %j',
  (name, text, message) => {
    const problems = problemsOf({ ...beside(name), [name]: text })
    expect(problems).toEqual([
      expect.stringMatching(new RegExp(`^${name}: ${message.replaceAll(/[*.]/g, '\\$&')}`)),
    ])
  },
)

test('nothing of a DATABASE_URL that is none is shown', () => {
  for (const text of ['postgres://u:hush/hush@h/d', 'postgres://u:1hush#hush@h/d', 'hush']) {
    expect(problemsOf({ DATABASE_URL: text }).join()).not.toContain('hush')
  }
})

test.each(['\n', '\r\n', '\n\n'])('a line break at the end of a value is taken off: %j', (end) => {
  const secret = `b4Jq0Zr8Vt2Nw6\nXy1Kd5Hg9Lm3Pc7Sf0 `
  const texts = { AUTH_SECRET: secret, PORT: '80', DATABASE_URL: 'postgres://u:p@h/d', AUTH_COOKIE: '' }
  const ended = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, `${text}${end}`]))
  expect(parseConfig(ended)).toEqual(parseConfig(texts))
  expect(parseDatabase(ended).url).toBe(texts.DATABASE_URL)
})

test('every variable has a test here', () => {
  const tested = new Set<string>([...right.map(([name]) => name), 'K_SERVICE'])
  expect(Object.keys(runtimeVariables).filter((name) => !tested.has(name))).toEqual([])
})
