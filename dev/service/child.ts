import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { say } from '../machine/say.ts'
import type { Environment } from '../machine/settings.ts'
import { serviceLog } from './log.ts'

const patience = 10_000

/**
 * Runs a file in Node, tied to the life of this process but out of its process group: a Ctrl-C in the terminal is for
 * this process, which then ends the others in order. Its output is ours.
 *
 * @param options.preloaded what Node imports before it, relative to `dev/`
 * @param options.onLine gets what it prints, instead of our standard output
 */
export function startChild(
  file: string,
  environment: Environment,
  options: { preloaded?: readonly string[]; onLine?: (line: string) => void } = {},
): ChildProcess {
  const { preloaded = [], onLine } = options
  const imports = ['./tether.ts', ...preloaded].flatMap((name) => [
    '--import',
    new URL(name, import.meta.url).href,
  ])
  const child = spawn(process.execPath, ['--enable-source-maps', ...imports, file], {
    env: environment,
    stdio: ['ignore', onLine ? 'pipe' : 'inherit', 'inherit', 'ipc'],
    detached: true,
  })
  if (child.stdout && onLine) createInterface({ input: child.stdout }).on('line', onLine)
  const kill = () => child.kill('SIGKILL') // it may hang in a loop, where no signal and no tether reaches it
  process.on('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return child
}

/** Sends SIGTERM and waits until the process is gone; after 10 s, SIGKILL. */
export async function endChild(child: ChildProcess | undefined): Promise<void> {
  if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  const timer = setTimeout(() => child.kill('SIGKILL'), patience)
  child.kill('SIGTERM')
  await gone
  clearTimeout(timer)
}

/** Applies the migrations, in a process of its own. @throws if it fails; it has then said why itself */
export async function applyMigrations(file: string, environment: Environment): Promise<void> {
  const show = serviceLog(process.stdout.isTTY)
  const onLine = (line: string) => say(show(line) ?? line)
  const [code, signal] = await once(startChild(file, environment, { onLine }), 'close')
  if (code !== 0) throw new Error(`The migrations were not applied (${signal ?? `exit code ${code}`}).`)
}
