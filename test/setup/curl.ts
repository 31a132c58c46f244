import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onPath } from '#test/support/on-path.ts'

const program = fileURLToPath(new URL('../support/curl-program.ts', import.meta.url))

/** The scripts of deploy/ run where Google's CLI brings curl. A small Linux has none: then a stand-in is on PATH. */
export default async function setup(): Promise<undefined | (() => Promise<void>)> {
  if (onPath('curl')) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'curl-'))
  const quoted = [process.execPath, program].map((path) => `'${path.replaceAll("'", `'\\''`)}'`)
  await writeFile(join(folder, 'curl'), `#!/bin/sh\nexec ${quoted.join(' ')} "$@"\n`)
  await chmod(join(folder, 'curl'), 0o755)
  process.env.PATH = [folder, process.env.PATH].join(delimiter)
  return () => rm(folder, { recursive: true })
}
