import { mkdir, writeFile } from 'node:fs/promises'
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

/** What the real tool would refuse as well, or what is not imitated. */
export class Refusal extends Error {}

const quote = (word: string) => `'${word.replaceAll("'", String.raw`'\''`)}'`

/**
 * Puts programs into `folder` that stand before the real ones in a PATH: the tools, a `sleep` that does not last, and
 * an `npm` that leaves the linked node_modules alone. A tool sends its arguments, but no input (that may be its
 * caller's loop), and runs the answer, which is a shell script of what to print, and of its exit status.
 */
export async function createStandIns(folder: string, tools: Readonly<Record<string, Tool>>) {
  const answering = new Set<Promise<unknown>>()
  const { url, close } = await listen(async (request, response) => {
    const [folder = '', ...args] = (await text(request)).split('\0').slice(0, -1)
    const say = (line: string) => response.write(`${line}\n`)
    const print = (out: string) => say(`printf %s ${quote(out)}`)
    const complain = (out: string) => say(`printf %s ${quote(out)} >&2`)
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const tool = tools[`${request.url}`.slice(1)]
    const answer = tool?.({ args, folder, signal: gone.signal, print, complain }).catch((error) => {
      complain(`${error instanceof Refusal ? error.message : error.stack}\n`)
      return 1
    })
    answering.add(Promise.resolve(answer))
    say(`status=${await answer}`)
    response.end()
  })

  const call = (tool: string) => `{
  echo 'status=70; trap "exit \\$status" EXIT'
  printf '%s\\0' "$PWD" "$@" | curl --silent --no-buffer --data-binary @- ${url}/${tool}
} | sh`
  const programs = {
    sleep: 'exec /bin/sleep 0.05',
    npm: `if [ "$1" = ci ]; then echo 'node_modules are linked'; else PATH=${quote(path)} exec npm "$@"; fi`,
    ...Object.fromEntries(Object.keys(tools).map((tool) => [tool, call(tool)])),
  }
  await mkdir(folder)
  for (const [name, lines] of Object.entries(programs))
    await writeFile(join(folder, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 })

  /** Waits for the last call, whose caller may be gone. */
  return async function end(): Promise<void> {
    close()
    await Promise.all(answering)
  }
}
