import { createApp, type Dependencies, features } from '#src/app.ts'
import { type Config, parseConfig } from '#src/runtime/config/config.ts'
import { createDatabase } from '#src/runtime/database/create-database.ts'
import type { Database } from '#src/runtime/database/database.ts'
import { variablesOf } from '#src/runtime/feature.ts'
import { problemDetails } from '#src/runtime/http/problem-format.ts'
import { createLogger, type Log } from '#src/runtime/log/logger.ts'
import { atEnd } from './at-end.ts'
import { type Api, client } from './client.ts'
import { makeDatabase } from './database.ts'
import { guarded } from './quiet.ts'
import { silentCloudTasks, testTasks } from './task-variables.ts'
import { as, testAuth } from './tokens.ts'

/** A service in this process, on a database of its own. */
export interface TestService {
  readonly app: { fetch: (request: Request) => Promise<Response> }
  readonly config: Config
  readonly database: Database
  readonly databaseUrl: string
  readonly log: Log
  /** Every log line so far, parsed. */
  readonly lines: Record<string, unknown>[]
  /** Without a token. */
  readonly api: Api
  /** Closes what its features have opened, before the file ends. */
  readonly close: () => Promise<void>
  /** With a token for this subject and these scopes. */
  readonly as: (subject: string, scopes?: readonly string[]) => Promise<Api>
}

/**
 * Makes a service as production does, but for what is given here. With `features` that are not the service's own, what
 * src/app.ts fills in (problem format, headers, tokens, error service, readiness, middleware) is as the runtime has it.
 *
 * @param options.environment variables beside those of the tests (AUTH_SECRET, DATABASE_URL)
 * @param options.emulated speaks to Cloud Tasks as the environment says; a silent one takes everything if absent
 * @param options.databaseUrl an existing database; a new one of the file's own if absent
 */
export async function testService(
  options: Partial<Omit<Dependencies, 'config' | 'database' | 'log'>> & {
    environment?: Record<string, string>
    databaseUrl?: string
    emulated?: boolean
  } = {},
): Promise<TestService> {
  const { environment = {}, databaseUrl = await makeDatabase(), emulated, ...given } = options
  const dependencies = withSeams(given)
  const cloudTasks = emulated ? {} : { cloudTasks: silentCloudTasks }
  const lines: Record<string, unknown>[] = []
  const config = parseConfig(
    {
      ...testTasks,
      AUTH_SECRET: testAuth.secret,
      DATABASE_URL: databaseUrl,
      LOG_LEVEL: 'debug',
      ...environment,
    },
    variablesOf(dependencies.features ?? features),
  )
  const log = createLogger({
    level: config.LOG_LEVEL,
    service: 'test',
    project: config.GOOGLE_CLOUD_PROJECT,
    output: { write: (line) => lines.push(JSON.parse(line)) },
  })
  const database = createDatabase({
    url: config.DATABASE_URL,
    metadataHost: config.GCE_METADATA_HOST,
    pool: config.DATABASE_POOL,
    timeoutSeconds: config.REQUEST_TIMEOUT,
    name: 'test',
    log,
  })
  atEnd(() => database.$client.end())
  const created = createApp({ config, database, log, ...cloudTasks, ...dependencies })
  atEnd(() => created.close())
  const app = guarded(created)
  return {
    app,
    config,
    database,
    databaseUrl,
    log,
    lines,
    api: client(app),
    close: () => created.close(),
    as: async (subject, scopes) => client(app, await as(subject, scopes)),
  }
}

/** What a service of these features is made with. */
export function withSeams<Given extends Partial<Dependencies>>(given: Given): Given {
  const ofRuntime = {
    ...{ format: problemDetails, auth: {}, reporter: {}, readiness: {} },
    ...{ headers: {}, middleware: [] },
  }
  return given.features && given.features !== features ? { ...ofRuntime, ...given } : given
}
