import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { testAuth } from './tokens.ts'

/** A process of the built bundle. */
export interface ServiceProcess {
  readonly child: ChildProcess
  /** Every line of stdout and stderr so far. */
  readonly lines: string[]
  /** Where it listens. */
  readonly url: string
  /** Resolves with the exit status, or the signal's name. */
  readonly exit: Promise<number | string>
}

/**
 * Spawns `dist/main.js` (or another file of the bundle) with these variables and nothing of ours; it is killed
 * when the test ends.
 */
export function spawnBundle(
  environment: Record<string, string>,
  options: { file?: string; args?: readonly string[] } = {},
): Omit<ServiceProcess, 'url'> & { line: (pattern: RegExp) => Promise<RegExpExecArray> } {
  const { file = 'dist/main.js', args = [] } = options
  const child = spawn(process.execPath, [...args, file], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  const exit = once(child, 'close').then(([code, signal]) => code ?? signal)
  const waiting = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      for (const look of waiting) look()
    })
  }
  onTestFinished(() => void child.kill('SIGKILL'))

  function line(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        for (const text of lines) {
          const match = pattern.exec(text)
          if (!match) continue
          waiting.delete(look)
          resolve(match)
          return
        }
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

/** Spawns the service on a free port, and waits until it listens. */
export async function startService(environment: Record<string, string> = {}): Promise<ServiceProcess> {
  const { line, ...service } = spawnBundle({ PORT: '0', AUTH_SECRET: testAuth.secret, ...environment })
  const [, port] = await line(/Listening on port (\d+)/)
  return { ...service, url: `http://127.0.0.1:${port}` }
}
