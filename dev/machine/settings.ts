import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'

/** Environment variables by name; an unset one is absent, never empty. */
export type Environment = Record<string, string>

/** Signs tokens in development. The service refuses it on Cloud Run. */
export const developmentSecret = 'development-only-secret-replace-me-before-deploying'

/** Variables of PostgreSQL's own clients, which `pg` reads as well. They name another server than ours. */
const ofClients = /^PG[A-Z]+$/

/** Removes the variables of PostgreSQL's clients from an environment. */
export function forgetOtherServers(environment: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(environment)) if (ofClients.test(name)) delete environment[name]
}

/**
 * The environment of the service in development: what is set, then `.env`, then defaults. An empty string is unset.
 * DATABASE_URL has no default here. Without one, `npm run dev` starts a server of its own, and PGHOST and the like, which
 * name another, are removed.
 *
 * @param options.variables what is set
 * @param options.file the `.env` file; it need not exist
 */
export function developmentEnvironment(
  options: { variables?: NodeJS.ProcessEnv; file?: string } = {},
): Environment {
  const { variables = process.env, file = '.env' } = options
  const written = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}
  const set = { ...onlySet(written), ...onlySet(variables) }
  if (!set.DATABASE_URL) forgetOtherServers(set)
  const secret = set.AUTH_JWKS_URL ? {} : { AUTH_SECRET: developmentSecret }
  return { PORT: '8080', ENVIRONMENT: 'development', DATA_DIR: '.data', ...secret, ...set }
}

function onlySet(variables: NodeJS.ProcessEnv): Environment {
  return Object.fromEntries(
    Object.entries(variables).filter((entry): entry is [string, string] => Boolean(entry[1])),
  )
}
