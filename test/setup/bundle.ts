import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'
import { bundle } from '../../bundle.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The file of a bundle that serves notes. */
    notesBundle: string
    /** The file of one that serves steps. */
    stepsBundle: string
    /** The file of one that serves the lab. */
    labBundle: string
    /** The file of one that serves parcels. */
    parcelsBundle: string
  }
}

const tests = {
  notes: 'test/support/notes-service.ts',
  steps: 'test/support/steps-service.ts',
  lab: 'test/lab/service.ts',
  parcels: 'test/chaos/parcels-service.ts',
}

/** Builds what the process tests spawn: the service, and the same with the features of the tests. */
export default async function setup(project: TestProject) {
  const folder = await mkdtemp(join(tmpdir(), 'notes-bundle-'))
  await Promise.all([promisify(execFile)(process.execPath, ['build.ts']), bundle(tests, folder)])
  project.provide('notesBundle', join(folder, 'notes.js'))
  project.provide('stepsBundle', join(folder, 'steps.js'))
  project.provide('labBundle', join(folder, 'lab.js'))
  project.provide('parcelsBundle', join(folder, 'parcels.js'))

  return () => rm(folder, { recursive: true })
}
