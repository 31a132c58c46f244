import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { breaks, runBuild } from './rehearsal/build/run-build.ts'
import { createProject } from './rehearsal/create-project.ts'
import { pairs } from './rehearsal/shell/pairs.ts'

// `npm run rehearse`: all of cloudbuild.yaml on this machine, without Google, from an empty project.

const usage = `Usage: npm run rehearse -- [--substitutions _UNTIL=staging,_C=d] [--break ${Object.keys(breaks).join('|')}]
  [--without STEP]`
const options = {
  substitutions: { type: 'string' },
  break: { type: 'string' },
  without: { type: 'string', multiple: true },
} as const

/** Prints a line after the name of its step. */
function write(id: string, text: string): void {
  process.stdout.write(`${id.padEnd(20)} ${text}`)
}

async function rehearse(): Promise<boolean> {
  const { substitutions: given, break: broken, without = [] } = parseArgs({ options }).values
  const substitutions = pairs(given?.split(','))
  if (broken && !breaks[broken])
    throw new TypeError(`--break ${broken}: write one of ${Object.keys(breaks).join(', ')}`)

  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())
  const { substitutions: own } = parse(await readFile('cloudbuild.yaml', 'utf8'))
  const { _SERVICE, _REGION } = { ...own, ...substitutions }
  const project = await createProject({ service: _SERVICE, region: _REGION })
  try {
    const build = await runBuild(project, { substitutions, without, broken, signal: stop.signal, write })
    for (const { id, result, seconds } of build.steps)
      write(id, `${result.padEnd(10)} ${result === 'not run' ? '' : `${seconds.toFixed(1)} s`}\n`)
    return build.ok
  } finally {
    await project.close()
  }
}

try {
  process.exitCode = (await rehearse()) ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  if (error instanceof TypeError) console.error(usage)
  process.exitCode = 2
}
