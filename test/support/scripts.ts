import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { atEnd } from './at-end.ts'
import { statedVariables, withStated } from './stated.ts'

/** A copy of what the scripts of deploy/ read, with commands of the test's on its PATH. */
export interface Scripts {
  /** Where the copy is. */
  readonly folder: string
  /** Where the pretend commands keep what they know: `$GOOGLE`. */
  readonly google: string
  /** Runs a command there, in a process group of its own. */
  run(command: string, args?: string[], environment?: Record<string, string>): Promise<Run>
  /** What `gcloud` was called with, a line each. */
  calls(): Promise<string[]>
}

/** How a command ended. */
export interface Run {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Copies deploy/, openapi/ and cloudbuild.yaml, with what the tests expect in them, until the file ends.
 *
 * @param gcloud the file that stands for gcloud: a shell script, which finds its call noted in `$GOOGLE/calls`
 */
export async function scripts(gcloud?: string): Promise<Scripts> {
  const root = await mkdtemp(join(tmpdir(), 'deploy-test-'))
  atEnd(() => rm(root, { recursive: true, force: true }))
  const [folder, google, bin] = ['copy', 'google', 'bin'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ]
  for (const path of [folder, google, bin]) await mkdir(path)
  for (const part of ['deploy', 'openapi']) await cp(part, join(folder, part), { recursive: true })
  await writeFile(join(folder, 'cloudbuild.yaml'), withStated(await readFile('cloudbuild.yaml', 'utf8')))
  for (const environment of ['staging', 'live'])
    await writeFile(join(folder, `deploy/environments/${environment}.env`), statedVariables)

  const note = '#!/usr/bin/env bash\ncd "$GOOGLE" && printf "%s\\n" "$*" >>calls\n'
  const rest = gcloud === undefined ? 'exit 1\n' : await readFile(gcloud, 'utf8')
  await writeFile(join(bin, 'gcloud'), note + rest)
  await writeFile(join(bin, 'sleep'), '#!/bin/sh\n')
  for (const name of ['gcloud', 'sleep']) await chmod(join(bin, name), 0o755)

  async function run(command: string, args: string[] = [], environment: Record<string, string> = {}) {
    const PATH = [bin, process.env.PATH].join(delimiter)
    const env = { PATH, HOME: root, GOOGLE: google, ...environment }
    const child = spawn(command, args, {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const [stdout, stderr, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit') as Promise<[number | null]>,
    ])
    return { status, stdout, stderr }
  }

  async function calls() {
    const file = join(google, 'calls')
    return existsSync(file) ? (await readFile(file, 'utf8')).trim().split('\n') : []
  }
  return { folder, google, run, calls }
}
