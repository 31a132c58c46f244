import { z } from 'zod'
import { flag, host, integer, list, oneOf, origin, seconds, secureUrl, text, variable } from './values.ts'

const word = z.string().optional()

/** Every environment variable that the runtime reads; a feature adds its own (see `defineFeature`). */
export const runtimeVariables = {
  PORT: integer(0, 65535).default(8080),
  ENVIRONMENT: oneOf(['development', 'staging', 'live']).default('development'),
  SERVICE_URL: variable(
    'must be an origin such as https://orders.example.com, without a path',
    origin,
  ).optional(),
  ALLOWED_HOSTS: list('must list host names such as orders.example.com', host).default([]),
  HSTS_INCLUDE_SUBDOMAINS: flag().default(false),

  DATABASE_URL: text(
    'must be a PostgreSQL URL such as postgres://user:password@host:5432/name',
    /^postgres(ql)?:\/\//,
  ).optional(),
  DATABASE_POOL: integer(1, 500).default(10),

  AUTH_SECRET: word,
  AUTH_JWKS_URL: variable('must be an https:// URL', secureUrl).optional(),
  AUTH_ISSUER: word,
  AUTH_AUDIENCE: word,
  AUTH_COOKIE: text('must be a cookie name such as session', /^[\w!#$%&'*+.^`|~-]{1,100}$/).optional(),
  AUTH_TOKEN_TTL: seconds(1, 31_536_000).default(86_400),

  LOG_LEVEL: oneOf(['debug', 'info', 'warn', 'error', 'silent']).optional(),
  CORS_ORIGINS: variable(
    'must be * or a list of origins such as https://app.example.com',
    corsOrigins,
  ).optional(),
  REPLY_CHECK: oneOf(['strip', 'fail']).optional(),
  REQUEST_TIMEOUT: seconds(1, 3600).default(300),

  VERSION: word,
  COMMIT: z.string().default('unknown'),
  GOOGLE_CLOUD_PROJECT: word,
  K_SERVICE: word,
  K_REVISION: word,
}

/** The runtime's variables that hold, or may hold, something secret: shown only as "set". */
export const secretVariables: ReadonlySet<string> = new Set(['DATABASE_URL', 'AUTH_SECRET'])

function corsOrigins(value: string): '*' | string[] | undefined {
  if (value === '*') return value
  const origins = value.split(',').map((part) => origin(part.trim()))
  return origins.every((part) => part !== undefined) ? origins : undefined
}
