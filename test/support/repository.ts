import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { temporaryFolder } from './migrations.ts'
import { spawnProgram } from './process.ts'

/** A git repository of a test's own, without anything of ours in its configuration; it goes with the file. */
export interface Repository {
  readonly folder: string
  /** Writes files and commits all there is. Returns the hash. */
  commit(files?: Readonly<Record<string, string>>): Promise<string>
}

const author = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com']

/** Asks git, in a folder. */
export async function git(folder: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
  return (await promisify(execFile)('git', [...author, ...args], { cwd: folder, env })).stdout.trim()
}

/** Makes an empty one. */
export async function makeRepository(): Promise<Repository> {
  const folder = await temporaryFolder()
  await git(folder, 'init', '--quiet')
  async function commit(files: Readonly<Record<string, string>> = {}): Promise<string> {
    await writeFiles(folder, files)
    await git(folder, 'add', '--all')
    await git(folder, 'commit', '--quiet', '--message=Change')
    return git(folder, 'rev-parse', 'HEAD')
  }
  return { folder, commit }
}

/** Writes files, by their paths. */
export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, dirname(path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}

/** Runs `npm run test:expand -- …` in a folder. */
export async function expand(folder: string, ...args: string[]) {
  const main = fileURLToPath(new URL('../expand/main.ts', import.meta.url))
  const { PATH = '', HOME = '' } = process.env
  const env = { PATH, HOME, NO_COLOR: '1' }
  const { lines, exit } = spawnProgram(process.execPath, [main, ...args], { cwd: folder, env })
  return { status: await exit, output: lines.join('\n') }
}
