import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { path } from './group.ts'
import { type Listening, listen } from './listen.ts'

/** A command line, of which the first word (`gcloud`, `docker`) has chosen the tool. */
export interface Call {
  readonly args: string[]
  /** Where it was called. */
  readonly folder: string
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal
  print(text: string): void
  complain(text: string): void
}

/** Answers a call with its exit status. */
export type Tool = (call: Call) => Promise<number>

/** What the tool does not do, as the real one would say it. */
export class Refusal extends Error {
  readonly status: number

  constructor(message: string, status = 1) {
    super(message)
    this.status = status
  }
}

const standIn = fileURLToPath(new URL('./stand-in.ts', import.meta.url))

/**
 * Puts programs into `folder` that stand before the real ones in a PATH: the tools, whose calls are answered here, a
 * `sleep` that does not last, and an `npm` that leaves the linked node_modules alone.
 */
export async function createStandIns(folder: string, tools: Record<string, Tool>): Promise<Listening> {
  const server = await listen(async (request, response) => {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const say = (what: object) => response.write(`${JSON.stringify(what)}\n`)
    const complain = (error: string) => say({ error })
    const { tool, args, folder } = JSON.parse(await text(request))
    const call = { args, folder, signal: gone.signal, print: (out: string) => say({ out }), complain }
    const status = await tools[tool]?.(call).catch((error) => {
      complain(`${error instanceof Refusal ? '' : error.stack}${error.message}\n`)
      return error instanceof Refusal ? error.status : 70
    })
    response.end(`${JSON.stringify({ status })}\n`)
  })

  const quote = (word: string) => `'${word.replaceAll("'", String.raw`'\''`)}'`
  const [node, file] = [quote(process.execPath), quote(standIn)]
  const programs: Record<string, string> = {
    sleep: 'exec /bin/sleep 0.05',
    npm: `if [ "$1" = ci ]; then echo 'node_modules are linked'; else PATH=${quote(path)} exec npm "$@"; fi`,
  }
  for (const tool of Object.keys(tools)) programs[tool] = `exec ${node} ${file} ${server.url} ${tool} "$@"`
  await mkdir(folder)
  for (const [name, line] of Object.entries(programs))
    await writeFile(join(folder, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 })
  return server
}
