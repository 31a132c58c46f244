import {
  ConfigError,
  captureConsole,
  createDatabase,
  createHttpServer,
  createLogger,
  describeConfig,
  describeVersion,
  isEndOfRequest,
  type Log,
  parseConfig,
  reportError,
  reportOutsideRequests,
  standardOutput,
  variablesOf,
  waitAtMost,
} from '#runtime'
import { createApp, features, problemFormat, reporter, responseHeaders } from './app.ts'

/** Cloud Run leaves 10 s between SIGTERM and SIGKILL. The rest is for closing the pool. */
const drainMs = 8_000
const closeMs = 1_000

let serving = false
let stopping = false
let signalled = false
let status = 0

const output = standardOutput()
const config = readConfig()
const { service, revision } = describeVersion(config)
const log = createLogger({
  level: config.LOG_LEVEL,
  project: config.GOOGLE_CLOUD_PROJECT,
  service,
  revision,
  output,
})
captureConsole(log)
reportOutsideRequests(reporter)
process.on('uncaughtException', fail)
process.on('unhandledRejection', (error) => {
  if (!isEndOfRequest(error)) void fail(error) // a query or call that ended with its request, and was not awaited
})

const database = createDatabase({
  url: config.DATABASE_URL,
  metadataHost: config.GCE_METADATA_HOST,
  pool: config.DATABASE_POOL,
  timeoutSeconds: config.REQUEST_TIMEOUT,
  name: `${service} ${revision}`,
  log,
})
const stopSignal = new AbortController()
const app = createApp({ config, database, log, stopping: stopSignal.signal })
const { server, drain } = createHttpServer({ app, format: problemFormat, headers: responseHeaders, log })

serving = true

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (signalled) process.exit(1) // the second signal ends the process at once
    signalled = true
    void stop(signal)
  })
}
server.on('error', (error: NodeJS.ErrnoException) => {
  const taken = error.code === 'EADDRINUSE'
  log.fatal(
    taken ? {} : { err: error },
    taken ? `Port ${config.PORT} is already in use: set PORT to another one.` : error.message,
  )
  process.exit(1)
})
server.listen(config.PORT, () => {
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  log.info(
    {
      configuration: describeConfig(config, variablesOf(features)),
    },
    `Listening on port ${port}`,
  )
})

/** Finishes the requests in flight, closes the pools, and exits. */
async function stop(why: string): Promise<void> {
  if (stopping) return
  stopping = true
  stopSignal.abort()
  const finished = await drain(drainMs)
  await waitAtMost(closeMs, Promise.all([database.$client.end(), app.close()]))
  log.info({ finished }, `Stopped by ${why}`)
  process.exit(status)
}

/** Stops the process in an orderly way. Further errors do not interrupt that. */
async function fail(error: unknown): Promise<void> {
  status = 1
  const what = serving ? 'An uncaught error ends the process' : 'The service cannot start'
  log.fatal({ err: error }, what)
  await reportError(error)
  if (!serving) process.exit(status)
  await stop('an uncaught error')
}

function readConfig() {
  try {
    return parseConfig(process.env, variablesOf(features))
  } catch (error) {
    const log: Log = createLogger({ level: 'info', service: 'configuration', output })
    if (error instanceof ConfigError) log.fatal({ problems: error.problems }, error.message)
    else log.fatal({ err: error }, 'The service cannot start')
    return process.exit(1)
  }
}
