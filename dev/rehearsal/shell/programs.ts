import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { listen } from '../../machine/serve.ts'

/** The PATH of the real programs: this Node first. */
export const path = `${dirname(process.execPath)}:${process.env.PATH}`

/** Runs a command line that was called in a folder. Returns what it prints. @throws {Refusal} */
export type Tool = (args: string[], folder: string) => Promise<string>

/** What the real tool refuses as well, or what is not imitated. It goes to stderr, with an exit status of 1. */
export class Refusal extends Error {}

/**
 * Writes programs into `folder`, which is to come first in a PATH: the tools, a `sleep` that takes no time, and an
 * `npm` that does not touch the linked node_modules. A tool gets its arguments, but no input (that may be the loop of
 * its caller).
 *
 * @returns what ends the tools, once the last call has its response
 */
export async function createPrograms(folder: string, tools: Readonly<Record<string, Tool>>) {
  const calls = new Set<Promise<unknown>>()
  const { url, close } = await listen(async (request, response) => {
    const [folder = '', ...args] = (await text(request)).split('\0').slice(0, -1)
    const tool = `${request.url}`.slice(1)
    const call = tools[tool]?.(args, folder).then(
      (printed) => response.end(printed),
      (error) =>
        response.writeHead(500).end(error instanceof Refusal ? `${tool}: ${error.message}` : error.stack),
    )
    calls.add(Promise.resolve(call))
  })

  const call = (tool: string) => `
response=$(printf '%s\\0' "$PWD" "$@" | curl --silent --show-error --fail-with-body --data-binary @- ${url}/${tool}) || {
  printf '%s\\n' "$response" >&2
  exit 1
}
[ -z "$response" ] || printf '%s\\n' "$response"`
  const programs = {
    sleep: '',
    npm: `if [ "$1" = ci ]; then echo 'node_modules are linked'; else PATH='${path}' exec npm "$@"; fi`,
    ...Object.fromEntries(Object.keys(tools).map((tool) => [tool, call(tool)])),
  }
  await mkdir(folder)
  for (const [name, lines] of Object.entries(programs))
    await writeFile(join(folder, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 })

  return async function end(): Promise<void> {
    await close()
    await Promise.all(calls)
  }
}
