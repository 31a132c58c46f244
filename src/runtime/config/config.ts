import type { z } from 'zod'
import { crossCheck } from './cross-check.ts'
import { allVariables, explain, parseValues, type Variables } from './parse-values.ts'
import { taskVariables } from './task-variables.ts'
import { runtimeVariables, secretVariables } from './variables.ts'

/** The values of `Variables`, parsed. */
export type Values<V extends Variables> = { readonly [Name in keyof V]: z.output<V[Name]> }

type Parsed = Values<typeof runtimeVariables>

/** The runtime's configuration: the value of each variable, by its name. Some defaults depend on ENVIRONMENT. */
export interface Config
  extends Omit<Parsed, 'LOG_LEVEL' | 'DOCS' | 'REPLY_CHECK' | 'AUTH_ISSUER' | 'AUTH_AUDIENCE'> {
  readonly LOG_LEVEL: NonNullable<Parsed['LOG_LEVEL']>
  readonly DOCS: boolean
  readonly REPLY_CHECK: NonNullable<Parsed['REPLY_CHECK']>
  readonly AUTH_ISSUER: string
  readonly AUTH_AUDIENCE: string
}

/**
 * The error for invalid environment variables. `problems` has a line for each: it says what is valid, and omits the value.
 *
 * @example
 * try {
 *   parseDatabase({ DATABASE_URL: 'none' })
 * } catch (error) {
 *   if (error instanceof ConfigError) console.error(error.problems) // a line for each variable
 * }
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

/** The environment that each configuration was parsed from, for `completeConfig`. */
const sources = new WeakMap<Config, { set: Record<string, string>; variables: Variables }>()

/**
 * Parses the variables of the runtime and of all features. A variable with an empty value counts as not set. A line break
 * at the end of a value is removed: `echo` leaves one in a secret.
 *
 * @param environment `process.env`
 * @param features the variables of each feature
 * @returns the values by name, those of the features included
 * @throws {ConfigError} naming all variables that are missing or wrong, without their values
 * @throws {Error} naming a variable that is defined twice, or whose schema cannot read an environment
 * @example
 * const config = parseConfig(process.env, variablesOf(features))
 */
export function parseConfig(
  environment: Record<string, string | undefined>,
  features: readonly Variables[] = [],
): Config {
  return parse(trimLineEnds(environment), allVariables(features))
}

/**
 * Adds the variables of these features to a configuration, from the environment that `config` was parsed from.
 *
 * @returns `config` itself, if it has all their variables
 * @throws {ConfigError} as `parseConfig` does
 * @throws {Error} for a configuration that `parseConfig` did not return, such as a copy: it could lack variables
 * @example
 * const complete = completeConfig(config, variablesOf(features))
 */
export function completeConfig(config: Config, features: readonly Variables[]): Config {
  const source = sources.get(config)
  if (!source)
    throw new Error(
      'The configuration is not one that parseConfig returned. Give parseConfig the variables that you want to set.',
    )
  const all = allVariables(features)
  const isComplete = Object.entries(all).every(([name, schema]) => source.variables[name] === schema)
  return isComplete ? config : parse(source.set, all)
}

function parse(set: Record<string, string>, variables: Variables): Config {
  const parsed = parseValues(set, variables)
  const problems = [
    ...(parsed.error?.issues ?? []).map((issue) => `${String(issue.path[0])}: ${explain(issue, set)}`),
    ...crossCheck(set, variables),
  ]
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems)

  const values = parsed.data as Parsed
  const development = values.ENVIRONMENT === 'development'
  const config: Config = {
    ...values,
    LOG_LEVEL: values.LOG_LEVEL ?? (development ? 'debug' : 'info'),
    DOCS: values.DOCS ?? values.ENVIRONMENT !== 'live',
    REPLY_CHECK: values.REPLY_CHECK ?? (values.ENVIRONMENT === 'live' ? 'strip' : 'fail'),
    AUTH_ISSUER: values.AUTH_ISSUER ?? 'service',
    AUTH_AUDIENCE: values.AUTH_AUDIENCE ?? 'service',
  }
  sources.set(config, { set, variables })
  return config
}

/**
 * Parses the variables of a process that needs only the database.
 *
 * @returns the database's URL, and the metadata server, which gives the password of an IAM user
 * @throws {ConfigError} if DATABASE_URL is missing or wrong
 * @example
 * parseDatabase({ DATABASE_URL: 'postgres://user:password@a.example.com/orders' }).url // → 'postgres://user:password@a.example.com/orders'
 */
export function parseDatabase(environment: Record<string, string | undefined>) {
  const { DATABASE_URL, GCE_METADATA_HOST } = runtimeVariables
  const set = trimLineEnds(environment)
  const url = DATABASE_URL.safeParse(set.DATABASE_URL)
  const host = GCE_METADATA_HOST.safeParse(set.GCE_METADATA_HOST)
  const problem = url.success ? 'is required but not set' : url.error.issues[0]?.message
  if (!url.data) throw new ConfigError([`DATABASE_URL: ${problem}`])
  if (!host.data) throw new ConfigError([`GCE_METADATA_HOST: ${host.error?.issues[0]?.message}`])
  return { url: url.data, metadataHost: host.data }
}

/**
 * The configuration for the log. Secrets are shown only as "set", and so are the variables of features, unless they have
 * `.meta({ shown: true })`.
 *
 * @example
 * log.info({ configuration: describeConfig(config, variablesOf(features)) }, 'Started')
 */
export function describeConfig(config: Config, features: readonly Variables[] = []): Record<string, unknown> {
  const variables: Variables = { ...runtimeVariables, ...Object.assign({}, ...features) }
  const shown = (name: string) =>
    name in runtimeVariables || name in taskVariables
      ? !secretVariables.has(name)
      : variables[name]?.meta()?.shown === true
  return Object.fromEntries(
    Object.entries(config)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, shown(name) ? value : 'set']),
  )
}

/** The variables that are set, without the line breaks at their ends. */
function trimLineEnds(environment: Record<string, string | undefined>): Record<string, string> {
  const trimmed = Object.entries(environment).map(([name, value = '']) => [
    name,
    value.replace(/[\r\n]+$/, ''),
  ])
  return Object.fromEntries(trimmed.filter(([, value]) => value))
}
