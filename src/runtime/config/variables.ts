import { z } from 'zod'
import { flag, host, integer, list, oneOf, origin, seconds, secureUrl } from './values.ts'

const words = (right: string) => z.string().min(1, right)

/** Every environment variable that the runtime reads; a feature adds its own (see `defineFeature`). */
export const runtimeVariables = {
  PORT: integer(0, 65535).default(8080),
  ENVIRONMENT: oneOf(['development', 'staging', 'live']).default('development'),
  SERVICE_URL: origin().optional(),
  ALLOWED_HOSTS: list(host()).default([]),
  HSTS_INCLUDE_SUBDOMAINS: flag().default(false),

  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must be a PostgreSQL URL such as postgres://user:password@host:5432/name')
    .optional(),
  DATABASE_POOL: integer(1, 500).default(10),

  AUTH_SECRET: z.string().optional(),
  AUTH_JWKS_URL: secureUrl().optional(),
  AUTH_ISSUER: words('must be the issuer that tokens name in `iss`').optional(),
  AUTH_AUDIENCE: words('must be the audience that tokens name in `aud`').optional(),
  AUTH_COOKIE: z
    .string()
    .regex(/^[\w!#$%&'*+.^`|~-]{1,100}$/, 'must be a cookie name such as session')
    .optional(),
  AUTH_TOKEN_TTL: seconds(1, 31_536_000).default(86_400),

  LOG_LEVEL: oneOf(['debug', 'info', 'warn', 'error', 'silent']).optional(),
  CORS_ORIGINS: z
    .union([z.literal('*'), list(origin())], { error: 'must be * or a list of origins' })
    .optional(),
  REPLY_CHECK: oneOf(['strip', 'fail']).optional(),
  REQUEST_TIMEOUT: seconds(1, 3600).default(300),

  VERSION: z.string().optional(),
  COMMIT: z.string().default('unknown'),
  GOOGLE_CLOUD_PROJECT: z.string().optional(),
  K_SERVICE: z.string().optional(),
  K_REVISION: z.string().optional(),
}

/** The runtime's variables that hold, or may hold, something secret: shown only as "set". */
export const secretVariables: ReadonlySet<string> = new Set(['DATABASE_URL', 'AUTH_SECRET'])
