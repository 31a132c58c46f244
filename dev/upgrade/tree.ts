import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { git } from './git.ts'
import { UpgradeError } from './upgrade-error.ts'
import type { Template } from './versions.ts'

/** What becomes of the files of a release, so that they have the form that they have in the fork. */
export interface Shape {
  /** The name of the service, if the fork has its own. */
  readonly name: string | undefined
  /** Which examples the fork does not have, of those that this release has. */
  without(examples: readonly string[]): readonly string[]
  /** The entry of package.json. */
  readonly template: Template
  /** Files and folders that the merge does not concern. */
  readonly leftOut: readonly string[]
}

/**
 * Writes a release's files as the fork has them: renamed, without the examples that it took out. The release's own tools
 * do that. Then what a merge would compare is only what the fork and the template changed.
 *
 * @param commit of the template
 * @returns git's name of the tree, and the release's examples
 */
export function shapedTree(commit: string, shape: Shape): { tree: string; examples: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'upgrade-'))
  try {
    const files = join(folder, 'files')
    const env = { GIT_INDEX_FILE: join(folder, 'index') }
    git(['read-tree', commit], { env })
    git(['checkout-index', '--all', `--prefix=${files}/`], { env })
    const examples = applyShape(files, {})
    applyShape(files, { name: shape.name, without: shape.without(examples) })
    writeTemplate(join(files, 'package.json'), shape.template)
    const there = ['--git-dir', resolve(git(['rev-parse', '--git-dir'])), '--work-tree', files]
    git([...there, 'add', '--all'], { cwd: files, env })
    git(['rm', '-rf', '--cached', '--quiet', '--ignore-unmatch', '--', ...shape.leftOut], { env })
    return { tree: git(['write-tree'], { env }), examples }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Runs the release's own tool; this one, for a commit that has none yet. */
function applyShape(
  folder: string,
  wanted: { name?: string | undefined; without?: readonly string[] },
): string[] {
  const own = join(folder, 'dev/fork/shape.ts')
  const tool = existsSync(own) ? own : fileURLToPath(new URL('../fork/shape.ts', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [tool, JSON.stringify(wanted)], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (status !== 0)
    throw new UpgradeError(`The template's files could not be brought into this form:\n${stderr}`)
  return JSON.parse(stdout)
}

function writeTemplate(path: string, template: Template): void {
  const manifest = JSON.parse(readFileSync(path, 'utf8'))
  writeFileSync(path, `${JSON.stringify({ ...manifest, template }, null, 2)}\n`)
}
