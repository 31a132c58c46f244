import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Copies what `gcloud builds submit` would upload into a new folder below `parent`, with node_modules linked.
 * Git says what that is, without a repository of ours: in Cloud Build there is none.
 */
export async function copyTree(parent: string): Promise<string> {
  const folder = await mkdtemp(join(parent, 'workspace-'))
  const git = (...args: string[]) =>
    promisify(execFile)('git', [`--git-dir=${folder}.git`, `--work-tree=${root}`, ...args], {
      cwd: root,
      maxBuffer: 1e8,
    })
  await git('init', '--quiet')
  const { stdout } = await git('ls-files', '-z', '--others', ...(await ignored()))
  await rm(`${folder}.git`, { recursive: true })
  for (const file of stdout.split('\0')) if (file) await cp(join(root, file), join(folder, file))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** Without a .gcloudignore, gcloud leaves out what git would; with one it asks that alone. */
async function ignored(): Promise<string[]> {
  const own = join(root, '.gcloudignore')
  if (!existsSync(own)) return ['--exclude-standard']
  const both = (await readFile(own, 'utf8')).includes('#!include:.gitignore')
  return [`--exclude-from=${own}`, ...(both ? [`--exclude-from=${join(root, '.gitignore')}`] : [])]
}
