import { anyText, flag, list, seconds, text, variable } from './values.ts'

/** The environment variables of a service that has tasks. */
export const taskVariables = {
  TASKS_QUEUE: text(
    'must be a queue such as projects/PROJECT/locations/REGION/queues/NAME',
    /^projects\/[\w:.-]+\/locations\/[\w-]+\/queues\/[\w-]+$/,
  ),
  TASKS_INVOKER: text('must be the e-mail of the account that callbacks come from', /^[^\s@]+@[^\s@]+$/),
  TASKS_URL: variable(
    'must be the service’s own URL, such as https://orders-123.europe-west1.run.app',
    base,
    undefined,
  ),
  TASKS_AUDIENCE: anyText(undefined),
  TASKS_KEEP: seconds(0, 31_536_000, 604_800),
  TASKS_PATIENCE: seconds(0, 31_536_000, 3600),
  OIDC_ISSUERS: list(
    'must list issuers such as https://accounts.google.com',
    (issuer) => issuer || undefined,
    ['https://accounts.google.com', 'accounts.google.com'],
  ),
  OIDC_JWKS_URL: variable('must be a URL', webUrl, 'https://www.googleapis.com/oauth2/v3/certs'),
  TASKS_DASHBOARD: flag(undefined),
  TRACE_LOGS_URL: variable(
    'must be a URL with {trace} in it, such as https://logs.example.com/?trace={trace}',
    (text) => (/^https?:\/\/[^/]*\/.*\{trace\}/.test(text) && URL.canParse(text) ? text : undefined),
    undefined,
  ),
  CLOUD_TASKS_EMULATOR_HOST: text(
    'must be a host and port such as localhost:8123',
    /^[\w.-]+:\d{1,5}$/,
    undefined,
  ),
}

/** Parses a base URL. Drops a trailing slash. */
function base(value: string): string | undefined {
  return webUrl(value)?.replace(/\/+$/, '')
}

function webUrl(value: string): string | undefined {
  const url = URL.parse(value)
  const web = url?.protocol === 'https:' || url?.protocol === 'http:'
  return web && !url.username && !url.search && !url.hash ? value : undefined
}
