import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { client } from '#test/support/client.ts'
import { startService } from '#test/support/process.ts'

/** Starts and stops a bundle. Returns its files, and those whose compiled code V8 has taken and not taken. */
async function cacheUse(folder: string) {
  const { child, url, exit, lines } = await startService(
    { NODE_DEBUG_NATIVE: 'COMPILE_CACHE' },
    { file: join(folder, 'main.js') },
  )
  await client(url)('/ping')
  child.kill('SIGTERM')
  await exit
  const files = (pattern: RegExp) => {
    const found = lines.flatMap((line) => pattern.exec(line)?.[1] ?? [])
    return [...new Set(found)].filter((file) => file.startsWith(folder)).sort()
  }
  return {
    read: files(/reading cache from .* for \S+ (?:file:\/\/)?(\S+?)\.\.\./),
    accepted: files(/V8 code cache for \S+ (?:file:\/\/)?(\S+) was accepted/),
  }
}

async function copyOfBundle(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bundle-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await cp('dist', folder, { recursive: true })
  return folder
}

test.each([
  ['where it was built', async () => `${process.cwd()}/dist`],
  ['in another folder', copyOfBundle],
])('V8 takes the compiled code that the bundle brings, %s', async (_where, folder) => {
  const { read, accepted } = await cacheUse(await folder())
  expect(accepted).toContainEqual(expect.stringContaining('service'))
  expect(accepted).toEqual(read)
})
