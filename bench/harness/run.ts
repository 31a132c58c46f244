import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, readSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../dev/machine/ports.ts'
import { builtFolder } from './build.ts'
import { type Contestant, folders, labelOf } from './contestants.ts'
import { nodeFlags } from './flags.ts'
import { onServerCore } from './machine.ts'
import { type HttpRequest, type HttpResponse, send } from './send.ts'

/** A contestant that runs. */
export interface Running {
  readonly contestant: Contestant
  readonly pid: number
  readonly port: number
  /** What it has written to its log since the last call: the end of it, if it is long. */
  readLog(): string
  stop(): Promise<void>
}

/** What contestants get in their environment: see `environment.ts`. */
export type Environment = Readonly<Record<string, string>>

/** Every process that runs, so that none outlives the benchmark. */
const running = new Set<ChildProcess>()
process.on('exit', stopAll)

/** Ends every contestant that runs. What waits for them fails. */
export function stopAll(): void {
  for (const child of running) child.kill('SIGKILL')
}

/**
 * Starts a contestant in production mode, on the server's processor, and waits for the first response that it should give.
 * Its log goes to a file: nothing reads along and takes CPU.
 *
 * @param options.first the request, and the status that shows that all works
 * @param options.onSpawn gets the process before it has loaded anything
 * @returns the contestant, how long that took in milliseconds, and the response
 */
export async function start(
  contestant: Contestant,
  environment: Environment,
  options: { first: HttpRequest; status: number; onSpawn?: (pid: number) => void },
): Promise<Running & { readonly startMs: number; readonly response: HttpResponse }> {
  const port = await freePort()
  const logFile = join(folders.build, `${labelOf(contestant)}.log`)
  const log = openSync(logFile, 'a')
  truncateSync(logFile)
  const { file, cwd } = entryOf(contestant)
  const [program, args] = onServerCore(process.execPath, [...nodeFlags(), file])
  const env = { PATH: process.env.PATH, ...environment, PORT: String(port) }
  const started = performance.now()
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', log, log] })
  closeSync(log)
  if (child.pid !== undefined) options.onSpawn?.(child.pid)
  running.add(child)
  child.once('exit', () => running.delete(child))
  const response = await firstResponse(child, port, options.first).catch((error: Error) => {
    throw new Error(
      `${labelOf(contestant)}: ${error.message}\n${readFileSync(logFile, 'utf8').slice(-2_000)}`,
    )
  })
  const startMs = performance.now() - started
  if (response.status !== options.status)
    throw new Error(
      `${labelOf(contestant)} responded with ${response.status}, not ${options.status}: ${response.text}`,
    )
  let read = 0
  return {
    ...{ contestant, port, startMs, response, pid: child.pid as number },
    readLog() {
      const { size } = statSync(logFile)
      const text = readRange(logFile, Math.max(read, size - 2 ** 20), size)
      read = size
      return text
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    },
  }
}

/** A part of a file: after minutes of load, a whole log is larger than a text can be. */
function readRange(name: string, from: number, to: number): string {
  const bytes = Buffer.alloc(to - from)
  const file = openSync(name, 'r')
  try {
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, from))
  } finally {
    closeSync(file)
  }
}

async function firstResponse(child: ChildProcess, port: number, request: HttpRequest): Promise<HttpResponse> {
  for (const giveUp = performance.now() + 60_000; performance.now() < giveUp; ) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
    const response = await send(port, request).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNREFUSED') throw error
    })
    if (response && response.status !== 503) return response // a database that is busy is asked again
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  throw new Error('it did not respond within 60 s')
}

function entryOf(contestant: Contestant): { file: string; cwd: string } {
  const { form } = contestant
  if (form === 'extended') return { file: 'service.js', cwd: builtFolder(contestant) }
  if (form === 'service') return { file: 'dist/main.js', cwd: folders.repository }
  if (form === 'sources') return { file: 'src/main.ts', cwd: folders.repository }
  return { file: form === 'bundled' ? 'main.js' : 'main.mjs', cwd: builtFolder(contestant) }
}
