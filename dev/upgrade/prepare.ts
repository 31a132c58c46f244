import { findBase } from './base.ts'
import { commitOf, fileIn, git, tryGit } from './git.ts'
import { mergeRelease, type Outcome } from './merge.ts'
import { leftOut } from './owners.ts'
import { addressOf, chooseRelease, fetchReleases } from './source.ts'
import { shapedTree } from './tree.ts'
import { UpgradeError } from './upgrade-error.ts'
import { compareVersions, fetchedReleases, refOf, type Template, templateOf } from './versions.ts'

/** What a person types. */
export interface Wish {
  readonly source?: string | undefined
  readonly version?: string | undefined
  readonly base?: string | undefined
}

/** What became of it. */
export interface Merged extends Outcome {
  readonly from: string
  readonly to: string
  /** Versions on the way that each change the runtime's tables. */
  readonly migrating: readonly string[]
}

/**
 * Fetches a release, and merges it into the files that are here.
 *
 * @throws {UpgradeError} if that cannot be done here and now; then no file has changed
 */
export function takeIn(wish: Wish): Merged {
  refuseUnready()
  const here = templateOf('HEAD')
  const given = wish.source ?? here.source
  if (!given)
    throw new UpgradeError(
      "Where is the template? Write its URL, a remote's name, or a folder with a clone of it: npm run upgrade -- SOURCE",
    )
  const source = addressOf(given)
  fetchReleases(source)
  const version = chooseRelease(here.version, wish.version)
  const commit = commitOf(refOf(version)) ?? ''
  const base = findBase(here.version, commit, wish.base)
  const trees = shapedTrees({ base, release: commit, here, template: { version, source } })
  const outcome = mergeRelease({ ...trees, commit, version })
  return { ...outcome, from: here.version, to: version, migrating: migratingVersions(here.version, version) }
}

function refuseUnready(): void {
  if (tryGit(['rev-parse', '--is-inside-work-tree']).status !== 0)
    throw new UpgradeError(
      'This folder is no git repository. Make it one: git init, git add --all, git commit',
    )
  if (!commitOf('HEAD')) throw new UpgradeError('There is no commit yet. Write: git add --all, git commit')
  const prefix = git(['rev-parse', '--show-prefix'])
  if (prefix !== '')
    throw new UpgradeError(
      `This is the folder ${prefix} of a larger repository, and the template is the whole of one. Split it off first: git subtree split`,
    )
  const going = ['MERGE_HEAD', 'CHERRY_PICK_HEAD', 'REVERT_HEAD', 'REBASE_HEAD'].find((name) =>
    commitOf(name),
  )
  if (going)
    throw new UpgradeError(
      going === 'MERGE_HEAD'
        ? 'A merge is in progress. If it is an upgrade, settle its conflicts, then: npm run upgrade -- --continue\n' +
            'To go back to where you were: git merge --abort'
        : `git is at work here: there is a ${going}. End that first: git status says how`,
    )
  const changed = git(['status', '--porcelain', '--untracked-files=no'])
  if (changed !== '')
    throw new UpgradeError(`There are changes that are not committed. Commit them, or git stash:\n${changed}`)
}

interface Trees {
  readonly base: string
  readonly release: string
  readonly here: Template
  readonly template: Template
}

/**
 * Both releases as the fork has them. An example that the fork took out stays out. One that is new comes only to a fork that
 * has all others, and no feature of that name.
 */
function shapedTrees({ base, release, here, template }: Trees): { base: string; release: string } {
  const ownName = nameIn('HEAD')
  const name = ownName === nameIn(base) ? undefined : ownName
  const shape = { name, leftOut: name ? [...leftOut, 'README.md'] : leftOut }
  const has = (example: string) => git(['ls-tree', 'HEAD', `src/${example}/`]) !== ''
  const old = shapedTree(base, {
    ...shape,
    template: here,
    without: (examples) => examples.filter((example) => !has(example)),
  })
  const hasAll = old.examples.every(has)
  const stays = (example: string) => (old.examples.includes(example) ? has(example) : hasAll && !has(example))
  const next = shapedTree(release, {
    ...shape,
    template,
    without: (examples) => examples.filter((example) => !stays(example)),
  })
  return { base: old.tree, release: next.tree }
}

function nameIn(commit: string): string | undefined {
  const { name }: { name?: string } = JSON.parse(fileIn(commit, 'package.json') ?? '{}')
  return name
}

/** The releases after one, up to another, that bring migrations of the runtime. */
function migratingVersions(from: string, to: string): string[] {
  const versions = fetchedReleases().filter(
    (version) => compareVersions(version, from) >= 0 && compareVersions(version, to) <= 0,
  )
  const migrations = (version: string) =>
    git(['ls-tree', '-r', '--name-only', refOf(version), 'migrations/runtime/'])
  return versions.filter((version, index) => {
    const before = versions[index - 1]
    return before !== undefined && migrations(before) !== migrations(version)
  })
}
