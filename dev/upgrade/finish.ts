import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type Part, stepsBetween } from './changelog.ts'
import { runCodemods } from './codemods.ts'
import { commitOf, fileIn, git, tryGit } from './git.ts'
import { unmergedPaths } from './merge.ts'
import { UpgradeError } from './upgrade-error.ts'
import { templateOf } from './versions.ts'

/** A merge that is in progress, or the commit that somebody made of it. */
interface Running {
  /** The fork as it was. */
  readonly before: string
  /** The template's release. */
  readonly release: string
  readonly isCommitted: boolean
}

/** What a finished upgrade leaves to a person. */
export interface Finished {
  /** For each version that was passed, the oldest first. */
  readonly parts: readonly Part[]
  readonly passes: boolean
  /** Shared files that the release changed and that a deploy reads. */
  readonly toRead: readonly string[]
}

/**
 * Does the rest of an upgrade whose conflicts are settled: packages, changed names, what is generated, the checks, and the
 * commit. What is done already stays as it is, so it can run again.
 *
 * @throws {UpgradeError} if something of it fails; the merge is in progress then
 */
export async function finishUpgrade(): Promise<Finished> {
  const running = findRunning()
  const { before, release, isCommitted } = running
  refuseUnsettled()
  const [from, to] = [templateOf(before).version, templateOf(release).version]
  try {
    await generate(before, from, to)
  } finally {
    git(['add', '--update'])
    git(['add', '--', 'migrations', 'openapi', 'package-lock.json'])
  }
  const passes = run('npm', ['run', '--silent', 'check'])
  if (passes) commit(isCommitted ? `Finish the upgrade of the template to ${to}` : undefined)
  const parts = stepsBetween(fileIn(release, 'CHANGELOG.md') ?? '', from, to)
  const read = ['.env.example', 'cloudbuild.yaml', 'deploy/environments']
  const toRead = git(['diff', '--name-only', before, '--', ...read])
    .split('\n')
    .filter(Boolean)
  return { parts, passes, toRead }
}

function findRunning(): Running {
  const merging = commitOf('MERGE_HEAD')
  const found = merging
    ? { before: 'HEAD', release: merging, isCommitted: false }
    : { before: 'HEAD^1', release: commitOf('HEAD^2') ?? '', isCommitted: true }
  const { release } = found
  if (!release || git(['for-each-ref', `--points-at=${release}`, 'refs/template']) === '')
    throw new UpgradeError(
      `${merging ? 'The merge in progress is no upgrade.' : 'No upgrade is in progress.'} Start one: npm run upgrade`,
    )
  return found
}

function refuseUnsettled(): void {
  const unmerged = unmergedPaths()
  if (unmerged.length > 0)
    throw new UpgradeError(
      `These files have conflicts. Settle each, then git add it:\n${unmerged.map((path) => `  ${path}`).join('\n')}`,
    )
  const { stdout } = tryGit(['grep', '--cached', '-lE', '^(<<<<<<<|>>>>>>>) ', '--', ':!*.md'])
  if (stdout) throw new UpgradeError(`These files still have the marks of conflicts:\n${stdout}`)
}

async function generate(before: string, from: string, to: string): Promise<void> {
  if (!lockFits()) must('npm', ['install', '--no-audit', '--no-fund'], 'npm install')
  for (const path of await runCodemods(from, to)) console.log(`changed  ${path}`)
  const tables = ['src/**/table.ts', 'src/**/*-table.ts'].map((pattern) => `:(glob)${pattern}`)
  if (git(['diff', '--name-only', before, '--', ...tables, ':!src/runtime']) !== '') {
    const name = `template_${to.replaceAll('.', '_')}`
    must(process.execPath, ['dev/migration.ts', '--name', name], `npm run migration -- --name ${name}`)
  }
  must(process.execPath, ['dev/openapi.ts'], 'npm run openapi')
  const changed = git(['diff', '--name-only', '--diff-filter=d', before]).split('\n').filter(Boolean)
  const quiet = ['--log-level=error', '--no-errors-on-unmatched', '--files-ignore-unknown=true']
  run('npm', ['run', '--silent', 'format', '--', ...quiet, ...changed]) // the checks name what it cannot correct
}

/** Whether package-lock.json has the packages that package.json names. */
function lockFits(): boolean {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages?.[''] ?? {}
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
  const lists = ['dependencies', 'devDependencies', 'optionalDependencies']
  const wanted = (of: Record<string, object | undefined>) =>
    JSON.stringify(lists.map((list) => Object.entries(of[list] ?? {}).sort()))
  return wanted(lock) === wanted(manifest)
}

function commit(message: string | undefined): void {
  if (message !== undefined && git(['diff', '--cached', '--name-only']) === '') return
  const words = message === undefined ? ['--no-edit'] : ['--message', message]
  const done = run('git', ['commit', '--quiet', ...words])
  if (!done) throw new UpgradeError('git did not commit: see above. Then write: git commit')
}

function must(program: string, words: readonly string[], command: string): void {
  if (!run(program, words))
    throw new UpgradeError(
      `${command} fails: see above. Mend that, then: npm run upgrade -- --continue\nTo go back: git merge --abort`,
    )
}

function run(program: string, words: readonly string[]): boolean {
  return spawnSync(program, words, { stdio: 'inherit' }).status === 0
}
