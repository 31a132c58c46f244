import { z } from 'zod'
import { list, seconds, text, variable } from '../config/values.ts'

/** The environment variables of a service that has tasks. */
export const taskVariables = {
  TASKS_QUEUE: text(
    'must be a queue such as projects/PROJECT/locations/REGION/queues/NAME',
    /^projects\/[\w:.-]+\/locations\/[\w-]+\/queues\/[\w-]+$/,
  ).meta({ shown: true }),
  TASKS_INVOKER: text('must be the e-mail of the account that callbacks come from', /^[^\s@]+@[^\s@]+$/).meta(
    { shown: true },
  ),
  TASKS_URL: variable('must be the service’s own URL, such as https://orders-123.europe-west1.run.app', base)
    .optional()
    .meta({ shown: true }),
  TASKS_AUDIENCE: z.string().optional().meta({ shown: true }),
  TASKS_KEEP: seconds(0, 31_536_000).default(604_800).meta({ shown: true }),
  TASKS_PATIENCE: seconds(0, 31_536_000).default(3600).meta({ shown: true }),
  OIDC_ISSUERS: list('must list issuers such as https://accounts.google.com', (issuer) => issuer || undefined)
    .default(['https://accounts.google.com', 'accounts.google.com'])
    .meta({ shown: true }),
  OIDC_JWKS_URL: variable('must be a URL', webUrl)
    .default('https://www.googleapis.com/oauth2/v3/certs')
    .meta({ shown: true }),
  CLOUD_TASKS_EMULATOR_HOST: text('must be a host and port such as localhost:8123', /^[\w.-]+:\d{1,5}$/)
    .optional()
    .meta({ shown: true }),
}

/** A base URL without a trailing slash. */
function base(value: string): string | undefined {
  return webUrl(value)?.replace(/\/+$/, '')
}

function webUrl(value: string): string | undefined {
  const url = URL.parse(value)
  const web = url?.protocol === 'https:' || url?.protocol === 'http:'
  return web && !url.username && !url.search && !url.hash ? value : undefined
}
