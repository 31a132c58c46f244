import {
  anyText,
  databaseUrl,
  flag,
  host,
  integer,
  list,
  oneOf,
  origin,
  seconds,
  secureUrl,
  text,
  variable,
} from './values.ts'

/** The environment variables that the runtime reads. A feature adds its own (see `defineFeature`). */
export const runtimeVariables = {
  PORT: integer(0, 65535, 8080),
  ENVIRONMENT: oneOf(['development', 'staging', 'live'], 'development'),
  SERVICE_URL: variable(
    'must be an origin such as https://orders.example.com, without a path',
    origin,
    undefined,
  ),
  ALLOWED_HOSTS: list('must list host names such as orders.example.com', host, []),
  HSTS_INCLUDE_SUBDOMAINS: flag(false),
  HTTP_CREDENTIALS: oneOf(['redirect', 'refuse'], 'redirect'),

  DATABASE_URL: variable(
    'must be a PostgreSQL URL: postgres:// and then user:password@host:5432/name, with %40 for @, %2F for /, ' +
      '%3F for ?, %23 for # and %25 for % in the password',
    databaseUrl,
    undefined,
  ),
  DATABASE_POOL: integer(1, 500, 10),

  AUTH_SECRET: anyText(undefined),
  AUTH_JWKS_URL: variable('must be an https:// URL', secureUrl, undefined),
  AUTH_ISSUER: anyText(undefined),
  AUTH_AUDIENCE: anyText(undefined),
  AUTH_COOKIE: text('must be a cookie name such as session', /^[\w!#$%&'*+.^`|~-]{1,100}$/, undefined),
  AUTH_TOKEN_TTL: seconds(1, 31_536_000, 86_400),

  LOG_LEVEL: oneOf(['debug', 'info', 'warn', 'error', 'silent'], undefined),
  CORS_ORIGINS: variable(
    'must be * or a list of origins such as https://app.example.com',
    corsOrigins,
    undefined,
  ),
  DOCS: flag(undefined),
  DOCS_TOKEN: anyText(undefined),
  REPLY_CHECK: oneOf(['strip', 'fail'], undefined),
  REQUEST_TIMEOUT: seconds(1, 3600, 300),
  TRUSTED_PROXIES: integer(0, 9, 1),

  OTEL_EXPORTER_OTLP_ENDPOINT: variable(
    'must be an https:// URL such as https://telemetry.googleapis.com, or an http:// URL of this machine, ' +
      'without a query',
    (text) => (/[?#]/.test(text) ? undefined : secureUrl(text)),
    undefined,
  ),
  OTEL_EXPORTER_OTLP_HEADERS: variable('must be pairs such as api-key=abc,tenant=1', headerPairs, undefined),
  OTEL_SERVICE_NAME: anyText(undefined),
  OTEL_TRACES_SAMPLER: oneOf(['parentbased_always_off', 'always_on'], 'parentbased_always_off'),
  OTEL_BSP_SCHEDULE_DELAY: integer(0, 600_000, 5_000),

  VERSION: anyText(undefined),
  COMMIT: anyText('unknown'),
  GOOGLE_CLOUD_PROJECT: anyText(undefined),
  GCE_METADATA_HOST: variable('must be a host such as metadata.google.internal', host, '169.254.169.254'),
  K_SERVICE: anyText(undefined),
  K_REVISION: anyText(undefined),
}

/** The runtime's variables that hold, or may hold, a secret. The log shows them only as "set". */
export const secretVariables: ReadonlySet<string> = new Set([
  ...['DATABASE_URL', 'AUTH_SECRET', 'DOCS_TOKEN', 'OTEL_EXPORTER_OTLP_HEADERS'],
])

/** Names and values of headers, with values encoded as in a URL. */
function headerPairs(value: string): Record<string, string> | undefined {
  const pairs = value.split(',').map((pair) => /^\s*([\w-]+)\s*=\s*([\x21-\x7e]*)\s*$/.exec(pair))
  if (pairs.some((pair) => !pair || !isEncoded(pair[2] ?? ''))) return undefined
  return Object.fromEntries(
    pairs.map((pair) => [`${pair?.[1]}`.toLowerCase(), decodeURIComponent(`${pair?.[2]}`)]),
  )
}

/** Whether the text is encoded as in a URL, and its value is one that a header can carry. */
function isEncoded(text: string): boolean {
  try {
    return /^[\t\x20-\x7e\x80-\xff]*$/.test(decodeURIComponent(text))
  } catch {
    return false
  }
}

function corsOrigins(value: string): '*' | string[] | undefined {
  if (value === '*') return value
  const origins = value.split(',').map((part) => origin(part.trim()))
  return origins.every((part) => part !== undefined) ? origins : undefined
}
