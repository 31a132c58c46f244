import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { noDatabase } from '#test/support/feature.ts'
import { testTasks } from '#test/support/task-variables.ts'
import { testAuth } from '#test/support/tokens.ts'

/** What requests cost the event loop's thread: CPU time in milliseconds. See loop.ts. */
export interface Turns {
  /** Of the longest turn of the loop. */
  readonly longestMs: number
  readonly sumMs: number
}

/** A process of the bundle that serves the abused routes. */
export interface Served {
  readonly url: string
  readonly child: ChildProcess
  /** What the loop's turns cost while this runs. */
  watch(work: () => Promise<unknown>): Promise<Turns>
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
  const ask = async (message: string) => {
    child.send(message)
    return (await once(child, 'message'))[0] as unknown
  }
  return {
    url,
    child,
    async watch(work) {
      await ask('begin')
      await work()
      return (await ask('end')) as Turns
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill()
      await once(child, 'exit')
    },
  }
}
