import { parseArgs } from 'node:util'
import { banner } from './caller/banner.ts'
import { withDocsToken } from './caller/token.ts'
import { serveTraceLines } from './local/trace-lines.ts'
import { localServices } from './local-services.ts'
import { assertPortIsFree } from './machine/ports.ts'
import { reachLocalDirectly } from './machine/proxy.ts'
import { say, step } from './machine/say.ts'
import { developmentEnvironment } from './machine/settings.ts'
import { waitForResponse } from './machine/wait-for-response.ts'
import { createRecentLines } from './service/recent-lines.ts'
import { createService } from './service/service.ts'

// `npm run dev`: all that the service needs, then the service, until a signal comes. With `-- --json`, the service's log
// lines are printed as they are.

/** npm forwards the Ctrl-C that the terminal has already sent: within this time it is the same one. */
const sameSignalMs = 1_000

const running: { stop(): Promise<unknown> }[] = []
let endingSince: number | undefined

/** Stops everything, the last started first. A second signal ends this process at once. */
async function end(status: number): Promise<void> {
  if (endingSince !== undefined) {
    if (performance.now() - endingSince > sameSignalMs) process.exit(1)
    return
  }
  endingSince = performance.now()
  for (const { stop } of running.reverse()) await stop().catch(() => {})
  process.exit(status)
}

/** Resolves with the result of `step`; never, if the end has started meanwhile. */
async function unlessEnding<Result>(step: Promise<Result>): Promise<Result> {
  const result = await step
  return endingSince === undefined ? result : new Promise<never>(() => {})
}

async function start(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'boolean' } } })
  reachLocalDirectly()
  const environment = developmentEnvironment()
  await assertPortIsFree(`${environment.PORT}`)

  const facts = []
  for (const service of localServices) {
    const starting = step(service.name, () => service.start(environment))
    running.push({ stop: async () => (await starting).stop() })
    const local = await unlessEnding(starting)
    Object.assign(environment, local.environment)
    facts.push(...local.facts)
  }

  const lines = createRecentLines()
  const traces = await serveTraceLines(lines)
  running.push(traces)
  Object.assign(environment, traces.environment)

  const { PORT = '' } = environment
  const service = createService(
    `.build/dev-${PORT}`,
    () => withDocsToken({ ...environment, ...developmentEnvironment(), PORT }),
    { json: values.json, lines },
  )
  running.push(service)
  await unlessEnding(service.start())
  await unlessEnding(step('The service', () => waitForResponse(`http://127.0.0.1:${environment.PORT}/ping`)))
  say(await banner(environment, facts))
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(0))
if (process.env.npm_lifecycle_event) {
  // npm sends a signal to its shell only, which may end without telling us
  const shell = process.ppid
  setInterval(() => process.ppid === shell || endingSince || end(0), 500).unref()
}
process.stdout.on('error', () => {}) // the terminal was closed: SIGHUP ends us
start().catch((error) => {
  if (endingSince !== undefined) return
  console.error(error instanceof Error ? error.message : error)
  return end(1)
})
