import { mkdir, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { path } from './group.ts'
import { listen } from './listen.ts'

/** A command line, of which the first word has chosen the tool. */
export interface Call {
  readonly args: string[]
  /** Where it was called. */
  readonly folder: string
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal
  print(text: string): void
  complain(text: string): void
}

/** Answers a call with its exit status. @throws {Refusal} */
export type Tool = (call: Call) => Promise<number>

/** What the real tool would not do either, in its words. */
export class Refusal extends Error {}

const quote = (word: string) => `'${word.replaceAll("'", String.raw`'\''`)}'`

/**
 * Puts programs into `folder` that stand before the real ones in a PATH: the tools, a `sleep` that does not last, and
 * an `npm` that leaves the linked node_modules alone. A tool sends its arguments, but no input (that may be its
 * caller's loop), and runs the answer, which is a shell script of what to print, and of its exit status.
 */
export async function createStandIns(folder: string, tools: Record<string, Tool>) {
  const answering = new Set<Promise<void>>()
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [folder = '', ...args] = (await text(request)).split('\0').slice(0, -1)
    const say = (line: string) => response.write(`${line}\n`)
    const print = (out: string) => say(`printf %s ${quote(out)}`)
    const complain = (out: string) => say(`printf %s ${quote(out)} >&2`)
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    try {
      const tool = tools[`${request.url}`.slice(1)]
      say(`status=${await tool?.({ args, folder, signal: gone.signal, print, complain })}`)
    } catch (error) {
      complain(`${error instanceof Refusal ? error.message : Error.prototype.toString.call(error)}\n`)
      say('status=1')
    }
    response.end()
  }
  const server = await listen((request, response) => {
    const answered = answer(request, response).finally(() => answering.delete(answered))
    answering.add(answered)
  })

  const call = (tool: string) => `{
  echo 'status=70; trap "exit \\$status" EXIT'
  printf '%s\\0' "$PWD" "$@" | curl --silent --no-buffer --data-binary @- ${server.url}/${tool}
} | sh`
  const programs = {
    sleep: 'exec /bin/sleep 0.05',
    npm: `if [ "$1" = ci ]; then echo 'node_modules are linked'; else PATH=${quote(path)} exec npm "$@"; fi`,
    ...Object.fromEntries(Object.keys(tools).map((tool) => [tool, call(tool)])),
  }
  await mkdir(folder)
  for (const [name, lines] of Object.entries(programs))
    await writeFile(join(folder, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 })

  /** Ends when the last call has been answered, whose caller may be gone. */
  async function close(): Promise<void> {
    server.close()
    await Promise.all(answering)
  }
  return { close }
}
