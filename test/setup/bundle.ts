import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { rolldown } from 'rolldown'
import type { TestProject } from 'vitest/node'
import { importGooglesJson } from './google-json.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The file of a bundle that serves notes. */
    notesBundle: string
  }
}

/** Builds what the process tests spawn: the service, and the same with the feature of the tests. */
export default async function setup(project: TestProject) {
  const folder = await mkdtemp(join(tmpdir(), 'notes-bundle-'))
  await Promise.all([promisify(execFile)(process.execPath, ['build.ts']), bundleNotes(folder)])
  project.provide('notesBundle', join(folder, 'main.js'))

  return () => rm(folder, { recursive: true })
}

/** Bundles as build.ts does. */
async function bundleNotes(dir: string): Promise<void> {
  const input = { main: 'test/support/notes-service.ts' }
  const external = ['pg-native']
  const build = await rolldown({ input, platform: 'node', external, plugins: [importGooglesJson] })
  await build.write({
    dir,
    format: 'cjs',
    minify: { compress: true, codegen: true, mangle: false },
    sourcemap: true,
  })
  await build.close()
}
