import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { noDatabase } from '#test/support/feature.ts'
import { testTasks } from '#test/support/task-variables.ts'
import { testAuth } from '#test/support/tokens.ts'

/** What a process has come to since it was last asked: see loop.ts. */
export interface Measured {
  readonly longestMs: number
  /** Bytes, now. */
  readonly rss: number
  /** Bytes, the most since the start. */
  readonly peakRss: number
}

/** A process of the bundle that serves the abused routes. */
export interface Served {
  readonly url: string
  readonly child: ChildProcess
  measure(): Promise<Measured>
  stop(): Promise<void>
}

/** Starts the bundle with Node's own flags before it, as the image does. */
export async function startServed(file: string, flags: readonly string[]): Promise<Served> {
  const loop = new URL('loop.ts', import.meta.url).href
  const child = spawn(process.execPath, [...flags, '--import', loop, file], {
    env: { ...testTasks, PORT: '0', AUTH_SECRET: testAuth.secret, DATABASE_URL: noDatabase },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  if (!child.stdout) throw new Error('The service has no standard output.')
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const port = /Listening on port (\d+)/.exec(line)?.[1]
      if (port) resolve(`http://127.0.0.1:${port}`)
    })
    child.once('exit', (code) => reject(new Error(`The service ended with ${code}.`)))
  })
  return {
    url,
    child,
    async measure() {
      child.send('measure')
      const [measured] = await once(child, 'message')
      return measured as Measured
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill()
      await once(child, 'exit')
    },
  }
}
