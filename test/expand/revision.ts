import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { promisify } from 'node:util'
import { Refusal } from './run.ts'

/** Asks git. @throws {Refusal} with its own words */
async function git(...args: string[]): Promise<string> {
  try {
    return (await promisify(execFile)('git', args)).stdout.trim()
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string }
    throw new Refusal(stderr?.trim() || message)
  }
}

/** The commit that a tag, a branch or the beginning of a hash names. @throws {Refusal} if it names none */
export async function commitOf(ref: string): Promise<string> {
  await git('rev-parse', '--git-dir')
  return git('rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`).catch(() => {
    throw new Refusal(`git knows no commit ${ref} here. If it is elsewhere: git fetch --tags origin`)
  })
}

/**
 * The last commit before the one that brought the newest migration: HEAD, while that is not committed.
 *
 * @throws {Refusal} if this clone has none: why
 */
export async function beforeNewestMigration(): Promise<string> {
  const names = (await readdir('migrations')).filter((name) => name.endsWith('.sql')).sort()
  const newest = `migrations/${names.at(-1)}`
  const added = await git('log', '-1', '--format=%H', '--diff-filter=A', '--', newest)
  if (!added) return commitOf('HEAD')
  const shallow = (await git('rev-parse', '--is-shallow-repository')) === 'true'
  return commitOf(`${added}^`).catch(() => {
    throw new Refusal(
      shallow
        ? `The history of this clone does not reach back beyond ${newest}. To fetch it: git fetch --unshallow`
        : `Nothing comes before ${newest}: it was there in the first commit.`,
    )
  })
}

/** The hash, the date and the title of a commit, on one line. */
export function describe(commit: string): Promise<string> {
  return git('log', '-1', '--format=%h of %as, “%s”', commit)
}

/** Writes the files of a commit into `folder`. */
export async function extract(commit: string, folder: string): Promise<void> {
  const archive = `${folder}/.archive.tar`
  await git('archive', '--format=tar', `--output=${archive}`, commit)
  await promisify(execFile)('tar', ['-xf', archive, '-C', folder])
}
