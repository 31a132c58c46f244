import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { hasColours, say } from '../machine/say.ts'
import type { Environment } from '../machine/settings.ts'
import { serviceLog } from './log.ts'

/** How long a process has to end after SIGTERM. */
const graceMs = 10_000

/**
 * Runs a file in Node, in a process that ends with this one. It is outside our process group: a Ctrl-C in the terminal
 * reaches this process only, which then ends the others in order. It writes to our standard output.
 *
 * @param options.preloaded what Node imports before it, relative to this folder
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
  const kill = () => child.kill('SIGKILL') // it may be in an endless loop, where no other signal reaches it
  process.on('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return child
}

/** Sends SIGTERM, and SIGKILL after a grace period. Resolves when the process has ended. */
export async function endChild(child: ChildProcess | undefined): Promise<void> {
  if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  child.kill('SIGTERM')
  await ended
  clearTimeout(timer)
}

/** Applies the migrations, in a process of its own. @throws if it fails, after it has printed why */
export async function applyMigrations(file: string, environment: Environment): Promise<void> {
  const show = serviceLog(hasColours())
  const onLine = (line: string) => say(show(line) ?? line)
  const [code, signal] = await once(startChild(file, environment, { onLine }), 'close')
  if (code !== 0) throw new Error(`The migrations were not applied (${signal ?? `exit code ${code}`}).`)
}
