import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'

// What deploy/ and the rehearsal use of curl, in its words.

const flags = ['silent', 'show-error', 'fail', 'fail-with-body', 'retry-all-errors', 'include'] as const
const settings = ['max-time', 'retry', 'retry-delay', 'data-binary'] as const
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...Object.fromEntries(flags.map((name) => [name, { type: 'boolean' as const }])),
    ...Object.fromEntries(settings.map((name) => [name, { type: 'string' as const }])),
  },
})
const url = positionals[0] ?? ''
const given = values['data-binary']
const body = given === '@-' ? Buffer.concat(await process.stdin.toArray()) : given?.toString()

/** Prints the response. @returns curl's exit status */
async function ask(): Promise<number> {
  const seconds = Number(values['max-time'] ?? 3_600)
  const request = { method: body === undefined ? 'GET' : 'POST', ...(body !== undefined && { body }) }
  try {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(seconds * 1000) })
    const text = await response.text()
    const failed = !response.ok && Boolean(values.fail || values['fail-with-body'])
    if (!failed || values['fail-with-body']) process.stdout.write(text)
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
