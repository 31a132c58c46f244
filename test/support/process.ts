import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { expect, inject, vi } from 'vitest'
import { atEnd } from './at-end.ts'
import { type Dial, dialer } from './raw.ts'
import { testTasks } from './task-variables.ts'
import { testAuth } from './tokens.ts'

/** A process and what it prints. */
export interface SpawnedProcess {
  readonly child: ChildProcess
  /** Every line of stdout and stderr so far. */
  readonly lines: string[]
  /** Resolves with the exit status, or the signal's name, when the last line has been read. */
  readonly exit: Promise<number | string>
  /** Resolves with the first line that matches, now or later; rejects if the process ends without one. */
  readonly line: (pattern: RegExp) => Promise<RegExpExecArray>
}

/** A process of the built bundle that serves. */
export interface ServiceProcess extends SpawnedProcess {
  /** Where it listens. */
  readonly url: string
  /** Opens a connection for bytes of one's own. */
  readonly dial: Dial
}

/** A line of the log: Cloud Logging's own fields, and others. */
export type LogEntry = Record<string, unknown> & { severity: string; message: string }

/**
 * Spawns a program and collects its lines; it is killed when the test ends, or outside a test when the file
 * does.
 */
export function spawnProgram(
  command: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'cwd' | 'env' | 'detached'> = {},
): SpawnedProcess {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  atEnd(() => child.kill('SIGKILL'))
  return collect(child)
}

/**
 * Spawns `dist/main.js` (or another file) in Node with these variables and nothing of ours; it is killed when
 * the test ends.
 *
 * @param options.args Node's own, before the file
 */
export function spawnBundle(
  environment: Record<string, string>,
  options: { file?: string; args?: readonly string[] } = {},
): SpawnedProcess {
  const { file = 'dist/main.js', args = [] } = options
  return spawnProgram(process.execPath, [...args, file], { env: environment })
}

/** Spawns the service on a free port, and waits until it listens. */
export async function startService(
  environment: Record<string, string> = {},
  options: Parameters<typeof spawnBundle>[1] = {},
): Promise<ServiceProcess> {
  const spawned = spawnBundle(
    { ...testTasks, PORT: '0', AUTH_SECRET: testAuth.secret, ...environment },
    options,
  )
  const [, port] = await spawned.line(/Listening on port (\d+)/)
  return { ...spawned, url: `http://127.0.0.1:${port}`, dial: dialer(Number(port)) }
}

/** Spawns a bundle that serves notes in place of the service's own features, and waits until it listens. */
export function startNotes(
  environment: Record<string, string> = {},
  options: { args?: readonly string[] } = {},
): Promise<ServiceProcess> {
  return startService(environment, { ...options, file: inject('notesBundle') })
}

/** Spawns a bundle that serves steps in place of the service's own features, and waits until it listens. */
export function startSteps(
  environment: Record<string, string> = {},
  options: { args?: readonly string[] } = {},
): Promise<ServiceProcess> {
  return startService(environment, { ...options, file: inject('stepsBundle') })
}

/**
 * Expects that every line is a log entry: a JSON object with a severity and a message.
 *
 * @returns the entries
 */
export function expectLog(lines: readonly string[]): LogEntry[] {
  return lines.map((line) => {
    expect(line).toMatch(/^\{.*\}$/)
    const entry = JSON.parse(line) as LogEntry
    expect(entry).toMatchObject({
      severity: expect.stringMatching(/^(DEBUG|INFO|WARNING|ERROR|CRITICAL)$/),
      message: expect.any(String),
    })
    return entry
  })
}

/** Resolves when the service takes no more connections. */
export async function refusesConnections({ dial }: ServiceProcess): Promise<void> {
  await vi.waitFor(async () => {
    const { socket } = dial()
    await expect(once(socket, 'connect')).rejects.toThrow('ECONNREFUSED')
  })
}

function collect(child: ChildProcess): SpawnedProcess {
  const lines: string[] = []
  const waiting = new Set<() => void>()
  const exit = once(child, 'close').then(([code, signal]) => code ?? signal)
  for (const stream of [child.stdout, child.stderr] as Readable[]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      for (const look of waiting) look()
    })
  }

  function line(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const match = lines.map((text) => pattern.exec(text)).find((found) => found !== null)
        if (!match) return
        waiting.delete(look)
        resolve(match)
      }
      waiting.add(look)
      look()
      void exit.then((status) =>
        reject(new Error(`Ended with ${status} before ${pattern}:\n${lines.join('\n')}`)),
      )
    })
  }

  return { child, lines, exit, line }
}
