import { otherOtel } from './other-otel.ts'

const messages = {
  database: 'is required on Cloud Run: postgres://user:password@/name?host=/cloudsql/PROJECT:REGION:INSTANCE',
  authentication:
    'or AUTH_JWKS_URL is required on Cloud Run: without one, the service cannot authenticate callers',
  both: 'and AUTH_JWKS_URL exclude each other: either this service or an identity provider issues the tokens. Unset one',
  short: 'must be at least 32 bytes: openssl rand -base64 48',
  placeholder: 'is a placeholder: replace it by a secret of your own, openssl rand -base64 48',
  callbacks: 'or SERVICE_URL is required: the URL at which Cloud Tasks calls this service',
  https: 'must be https:// on Cloud Run: over plain http, callbacks of Google could be forged',
  emulator: 'must be unset on Cloud Run: an emulator is for development, and its callbacks can be forged',
  token: 'must be unset on Cloud Run: it is for development, and anybody can read it on the page',
  provider: 'is required with AUTH_JWKS_URL: without it, any token of that provider would be accepted',
}

/**
 * Checks the rules that concern several variables.
 *
 * @param set the variables that are set, unparsed
 * @param known all variables that the service reads, by name
 * @returns one line for each problem. It starts with the variable's name
 */
export function crossCheck(set: Record<string, string | undefined>, known: object): string[] {
  const problems: string[] = []
  if ('TASKS_URL' in known && !set.TASKS_URL && !set.SERVICE_URL)
    problems.push(`TASKS_URL: ${messages.callbacks}`)
  if (set.AUTH_SECRET && set.AUTH_JWKS_URL) problems.push(`AUTH_SECRET: ${messages.both}`)
  if (set.AUTH_JWKS_URL) {
    for (const name of ['AUTH_ISSUER', 'AUTH_AUDIENCE']) {
      if (!set[name]) problems.push(`${name}: ${messages.provider}`)
    }
  }
  problems.push(...otherOtel(set))
  if (!set.K_SERVICE) return problems
  return [...problems, ...onCloudRun(set), ...('TASKS_URL' in known ? callbacksOnCloudRun(set) : [])]
}

/** Settings on Cloud Run that would let others forge Google's callbacks. */
function callbacksOnCloudRun(set: Record<string, string | undefined>): string[] {
  const urls = [
    set.TASKS_URL ? 'TASKS_URL' : 'SERVICE_URL',
    'TASKS_AUDIENCE',
    'OIDC_ISSUERS',
    'OIDC_JWKS_URL',
  ]
  const plain = urls.filter((name) => /(^|[,\s])http:/i.test(set[name] ?? ''))
  const problems = plain.map((name) => `${name}: ${messages.https}`)
  if (set.CLOUD_TASKS_EMULATOR_HOST) problems.push(`CLOUD_TASKS_EMULATOR_HOST: ${messages.emulator}`)
  return problems
}

function onCloudRun(set: Record<string, string | undefined>): string[] {
  const problems: string[] = []
  const secret = set.AUTH_SECRET
  if (!set.ENVIRONMENT) {
    problems.push('ENVIRONMENT: is required on Cloud Run: development, staging or live')
  }
  if (!set.DATABASE_URL) problems.push(`DATABASE_URL: ${messages.database}`)
  if (!secret && !set.AUTH_JWKS_URL) problems.push(`AUTH_SECRET: ${messages.authentication}`)
  if (secret && Buffer.byteLength(secret) < 32) problems.push(`AUTH_SECRET: ${messages.short}`)
  else if (secret && isPlaceholder(secret)) problems.push(`AUTH_SECRET: ${messages.placeholder}`)
  if (set.DOCS_TOKEN) problems.push(`DOCS_TOKEN: ${messages.token}`)
  return problems
}

/** Whether the text is a placeholder, not a secret: it has a word that examples use, or a few characters repeated. */
function isPlaceholder(secret: string): boolean {
  const words = /change.?(me|this|it)|replace|place.?holder|development|secret|passw(or)?d|example/i
  return words.test(secret) || new Set(secret).size < 8
}
