import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { git, gitPath, tryGit } from './git.ts'
import { UpgradeError } from './upgrade-error.ts'

/** Two trees of the template, as the fork has them, and the release that the second one comes from. */
export interface Releases {
  readonly base: string
  readonly release: string
  /** The release's own commit, which becomes the second parent. */
  readonly commit: string
  readonly version: string
}

/** What a merge leaves to a person. */
export interface Outcome {
  /** Files that both changed in the same place. */
  readonly conflicts: readonly string[]
  /** Keys of package.json that both changed. */
  readonly keys: readonly string[]
  /** Files that the release changed and the fork had removed: they stay out. */
  readonly removed: readonly string[]
}

/**
 * Merges a release into the files that are here, by git's three-way merge. Then it is a merge in progress, as after
 * `git merge`: `git status` says what is to do, `git commit` ends it, and `git merge --abort` undoes it.
 *
 * @throws {UpgradeError} if git refuses
 */
export function mergeRelease({ base, release, commit, version }: Releases): Outcome {
  const parent = writeCommit(base, 'Template, as this service has it', [])
  const picked = writeCommit(release, `Template ${version}`, ['-p', parent])
  const { status, stderr, keys } = pick(picked)
  const stages = unmergedStages()
  if (status !== 0 && stages.size === 0) throw new UpgradeError(`git could not merge the release:\n${stderr}`)
  writeFileSync(gitPath('MERGE_HEAD'), `${commit}\n`)
  writeFileSync(gitPath('MERGE_MODE'), '')
  writeFileSync(gitPath('MERGE_MSG'), `Upgrade the template to ${version}\n`)
  const removed = [...stages].filter(([, numbers]) => numbers === '13').map(([path]) => path)
  if (removed.length > 0) git(['rm', '--quiet', '-f', '--', ...removed])
  const conflicts = [...stages.keys()].filter((path) => !removed.includes(path))
  return { conflicts, keys, removed }
}

/** Paths that are not settled yet. */
export function unmergedPaths(): string[] {
  return [...unmergedStages().keys()]
}

/** By path: 1 is the base's version, 2 the fork's, 3 the release's. */
function unmergedStages(): Map<string, string> {
  const stages = new Map<string, string>()
  for (const line of git(['ls-files', '--unmerged', '-z']).split('\0').filter(Boolean)) {
    const [, stage = '', path = ''] = /^\d+ \w+ (\d)\t(.+)$/s.exec(line) ?? []
    stages.set(path, `${stages.get(path) ?? ''}${stage}`)
  }
  return stages
}

function writeCommit(tree: string, message: string, parents: readonly string[]): string {
  const author = ['-c', 'user.name=Template', '-c', 'user.email=template@localhost']
  return git([...author, 'commit-tree', tree, ...parents, '-m', message])
}

/** Applies what is between a commit and its parent. package.json is merged key by key. */
function pick(commit: string): { status: number; stderr: string; keys: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'upgrade-'))
  const [attributes, driver, report] = ['attributes', 'merge-package.mts', 'report'].map((name) =>
    join(folder, name),
  ) as [string, string, string]
  writeFileSync(attributes, 'package.json merge=template-package\n')
  writeFileSync(report, '')
  copyFileSync(fileURLToPath(new URL('merge-package.ts', import.meta.url)), driver) // git replaces ours meanwhile
  const settings = {
    'core.attributesFile': attributes,
    'merge.template-package.driver': `'${process.execPath}' '${driver}' %O %A %B '${report}'`,
    'merge.directoryRenames': 'false',
  }
  const words = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  try {
    const { status, stderr } = tryGit([...words, 'cherry-pick', '--no-commit', '--allow-empty', commit])
    return { status, stderr, keys: readFileSync(report, 'utf8').split('\n').filter(Boolean) }
  } finally {
    rmSync(folder, { recursive: true })
    rmSync(gitPath('CHERRY_PICK_HEAD'), { force: true })
  }
}
