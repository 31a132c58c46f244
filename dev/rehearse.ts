import { parseArgs } from 'node:util'
import { createProject } from './rehearsal/project.ts'
import { type Break, runBuild } from './rehearsal/run-build.ts'

// `npm run rehearse`: all of cloudbuild.yaml on this machine, without Google, from an empty project.

const usage = `Usage: npm run rehearse -- [--until check|image|staging|live] [--substitutions _A=b,_C=d]
  [--break staging-acceptance|live-smoke|migrate] [--without STEP]`
const breaks: readonly (string | undefined)[] = ['staging-acceptance', 'live-smoke', 'migrate', undefined]
const isBreak = (text: string | undefined): text is Break | undefined => breaks.includes(text)

const text = { type: 'string' } as const
const options = {
  until: text,
  substitutions: text,
  break: text,
  without: { type: 'string', multiple: true },
} as const

async function rehearse(): Promise<boolean> {
  const { values } = parseArgs({ options })
  const given = values.substitutions?.split(',').map((pair) => pair.split(/=(.*)/s).slice(0, 2)) ?? []
  const substitutions: Record<string, string> = Object.fromEntries(given)
  if (values.until) substitutions._UNTIL = values.until
  if (!isBreak(values.break)) throw new TypeError(`--break ${values.break}: there is no such way`)

  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())
  const { _SERVICE: service, _REGION: region } = substitutions
  const project = await createProject({ ...(service && { service }), ...(region && { region }) })
  try {
    const { without = [], break: breaks } = values
    const build = await runBuild(project, { substitutions, without, breaks, signal: stop.signal, write })
    for (const { id, result, seconds } of build.steps)
      console.log(
        `${id.padEnd(20)} ${result.padEnd(10)} ${result === 'not run' ? '' : `${seconds.toFixed(1)} s`}`,
      )
    return build.ok
  } finally {
    await project.close()
  }
}

/** Prints each line behind the name of its step. */
function write(id: string, text: string): void {
  for (const line of text.replace(/\n$/, '').split('\n')) console.log(`${id.padEnd(20)} ${line}`)
}

try {
  process.exitCode = (await rehearse()) ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  if (error instanceof TypeError) console.error(usage)
  process.exitCode = 2
}
