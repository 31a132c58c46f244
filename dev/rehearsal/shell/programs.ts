import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { listen } from '../../machine/serve.ts'

/** The PATH of the real programs: this Node first. */
export const path = `${dirname(process.execPath)}:${process.env.PATH}`

/** Answers a command line, called in a folder, with what it prints. @throws {Refusal} */
export type Tool = (args: string[], folder: string) => Promise<string>

/** What the real tool would refuse as well, or what is not imitated: goes to stderr, with an exit status of 1. */
export class Refusal extends Error {}

/**
 * Puts programs into `folder` that stand before the real ones in a PATH: the tools, a `sleep` that does not last, and
 * an `npm` that leaves the linked node_modules alone. A tool sends its arguments, but no input (that may be its
 * caller's loop).
 *
 * @returns what ends them, once the last call is answered
 */
export async function createStandIns(folder: string, tools: Readonly<Record<string, Tool>>) {
  const answering = new Set<Promise<unknown>>()
  const { url, close } = await listen(async (request, response) => {
    const [folder = '', ...args] = (await text(request)).split('\0').slice(0, -1)
    const tool = `${request.url}`.slice(1)
    const answer = tools[tool]?.(args, folder).then(
      (printed) => response.end(printed),
      (error) =>
        response.writeHead(500).end(error instanceof Refusal ? `${tool}: ${error.message}` : error.stack),
    )
    answering.add(Promise.resolve(answer))
  })

  const call = (tool: string) => `
answer=$(printf '%s\\0' "$PWD" "$@" | curl --silent --show-error --fail-with-body --data-binary @- ${url}/${tool}) || {
  printf '%s\\n' "$answer" >&2
  exit 1
}
[ -z "$answer" ] || printf '%s\\n' "$answer"`
  const programs = {
    sleep: 'exec /bin/sleep 0.05',
    npm: `if [ "$1" = ci ]; then echo 'node_modules are linked'; else PATH='${path}' exec npm "$@"; fi`,
    ...Object.fromEntries(Object.keys(tools).map((tool) => [tool, call(tool)])),
  }
  await mkdir(folder)
  for (const [name, lines] of Object.entries(programs))
    await writeFile(join(folder, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 })

  return async function end(): Promise<void> {
    await close()
    await Promise.all(answering)
  }
}
