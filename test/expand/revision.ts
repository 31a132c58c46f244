import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
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

/** Each set of migrations, in a folder of its own. */
const sets = ['migrations/runtime', 'migrations/features']

/**
 * The last commit before the one that brought the newest migration of either set: HEAD, while that is not committed.
 *
 * @throws {Refusal} if this clone has none: why
 */
export async function beforeNewestMigration(): Promise<string> {
  const newest = (await Promise.all(sets.map(newestOf))).filter((file) => file !== undefined)
  const added = (...files: string[]) => git('log', '-1', '--format=%H', '--diff-filter=A', '--', ...files)
  for (const file of newest) if (!(await added(file))) return commitOf('HEAD')
  const shallow = (await git('rev-parse', '--is-shallow-repository')) === 'true'
  return commitOf(`${await added(...newest)}^`).catch(() => {
    const last = newest.join(' and ')
    throw new Refusal(
      shallow
        ? `The history of this clone does not reach back beyond ${last}. To fetch it: git fetch --unshallow`
        : `Nothing comes before ${last}: it was there in the first commit.`,
    )
  })
}

/** The newest migration of a set; none where there is no such set. */
async function newestOf(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => [])
  const name = names.filter((name) => name.endsWith('.sql')).sort()
  return name.length > 0 ? `${folder}/${name.at(-1)}` : undefined
}

/**
 * Sees that what the migrations here make can follow on what a commit's have made: each of its own is still here. Else
 * no database goes from the one to the other, and nobody deploys over that commit.
 *
 * @throws {Refusal} naming what is not here
 */
export async function followsOn(commit: string): Promise<void> {
  const files = await git('ls-tree', '-r', '--name-only', commit, 'migrations')
  for (const file of files.split('\n').filter((name) => name.endsWith('/_journal.json'))) {
    const here = new Set(tagsOf(await readFile(file, 'utf8').catch(() => '{"entries":[]}')))
    const gone = tagsOf(await git('show', `${commit}:${file}`)).filter((tag) => !here.has(tag))
    if (gone.length > 0)
      throw new Refusal(
        `The database of ${commit.slice(0, 7)} cannot become the one here: its ${file} lists ${gone.join(', ')}, ` +
          'which is not here.',
      )
  }
}

/** The migrations of a journal: each by its name, and when it was made. */
function tagsOf(journal: string): string[] {
  const { entries } = JSON.parse(journal) as { entries: { tag: string; when: number }[] }
  return entries.map(({ tag, when }) => `${tag} (made ${new Date(when).toISOString()})`)
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
