import { readFile, writeFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'

// What deploy/ and the rehearsal use of curl, in its words.

const flag = { type: 'boolean' } as const
const setting = { type: 'string' } as const
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...{ silent: flag, 'show-error': flag, fail: flag, 'fail-with-body': flag, 'retry-all-errors': flag },
    ...{ include: flag, 'max-time': setting, retry: setting, 'retry-delay': setting, request: setting },
    ...{ 'data-binary': setting, output: setting, 'write-out': setting },
    header: { type: 'string', multiple: true },
  },
})
const url = positionals[0] ?? ''
const given = values['data-binary']
const body = given?.startsWith('@') ? await fromFile(given) : given
const lines = await Promise.all(
  (values.header ?? []).map(async (line) => (line.startsWith('@') ? `${await fromFile(line)}` : line)),
)
const headers = lines.map((line) => line.trim().split(/: */, 2) as [string, string])

/** What stands in `@file`, or comes in by `@-`. */
async function fromFile(name: string): Promise<Buffer<ArrayBuffer>> {
  return name === '@-' ? Buffer.concat(await process.stdin.toArray()) : readFile(name.slice(1))
}

/** Prints the response. @returns curl's exit status */
async function ask(): Promise<number> {
  const seconds = Number(values['max-time'] ?? 3_600)
  const method = values.request ?? (body === undefined ? 'GET' : 'POST')
  const request = { method, headers, ...(body !== undefined && { body }) }
  try {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(seconds * 1000) })
    const text = await response.text()
    const failed = !response.ok && Boolean(values.fail || values['fail-with-body'])
    if (values.output) await writeFile(values.output, text)
    else if (!failed || values['fail-with-body']) process.stdout.write(text)
    if (values['write-out'])
      process.stdout.write(values['write-out'].replace('%{http_code}', `${response.status}`))
    if (failed) process.stderr.write(`curl: (22) The requested URL returned error: ${response.status}\n`)
    return failed ? 22 : 0
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') {
      process.stderr.write(`curl: (28) Operation timed out after ${seconds} seconds\n`)
      return 28
    }
    const { host } = new URL(url)
    process.stderr.write(`curl: (7) Failed to connect to ${host}\n`)
    return 7
  }
}

let status = await ask()
for (let left = Number(values.retry ?? 0); status !== 0 && left > 0; left--) {
  await wait(Number(values['retry-delay'] ?? 1) * 1000)
  status = await ask()
}
process.exitCode = status
