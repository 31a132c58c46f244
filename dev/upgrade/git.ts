import { spawnSync } from 'node:child_process'
import { UpgradeError } from './upgrade-error.ts'

/** Where git runs, and with what. */
export interface GitOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** What git did. */
export interface GitResult {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs git, whether it succeeds or not. */
export function tryGit(args: readonly string[], { cwd, env }: GitOptions = {}): GitResult {
  const { error, status, stdout, stderr } = spawnSync('git', args, {
    cwd,
    env: { ...process.env, LC_ALL: 'C', ...env },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (error) throw new UpgradeError(`git does not run here (${error.message}). Install git 2.30 or later.`)
  return { status: status ?? 1, stdout: stdout.trimEnd(), stderr: stderr.trimEnd() }
}

/**
 * Runs git.
 *
 * @returns what it printed
 * @throws {UpgradeError} with git's own words, if it fails
 */
export function git(args: readonly string[], options?: GitOptions): string {
  const { status, stdout, stderr } = tryGit(args, options)
  if (status !== 0) throw new UpgradeError(`git ${args.join(' ')} failed:\n${stderr}`)
  return stdout
}

/** The commit that a name stands for; `undefined` if there is none. */
export function commitOf(name: string): string | undefined {
  const { status, stdout } = tryGit(['rev-parse', '--verify', '--quiet', `${name}^{commit}`])
  return status === 0 ? stdout : undefined
}

/** The text of a file in a commit; `undefined` if it is not there. */
export function fileIn(commit: string, path: string): string | undefined {
  const { status, stdout } = tryGit(['show', `${commit}:${path}`])
  return status === 0 ? stdout : undefined
}

/** A file below .git, such as MERGE_HEAD. */
export function gitPath(name: string): string {
  return git(['rev-parse', '--git-path', name])
}
