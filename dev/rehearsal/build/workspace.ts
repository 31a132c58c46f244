import { execFileSync } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

const excludes = ['--exclude-from=.gcloudignore', '--exclude-from=.gitignore'] // the one includes the other

/**
 * Copies what `gcloud builds submit` uploads into a new folder below `parent`, with node_modules linked. Git says
 * which files these are, in a repository that is removed at once: Cloud Build has none. It leaves out the domain of an
 * environment, which leads elsewhere.
 *
 * @param paths copies only what is there; all if absent
 */
export async function copyTree(parent: string, paths: readonly string[] = []): Promise<string> {
  const folder = await mkdtemp(join(parent, 'workspace-'))
  const repository = `${folder}.git`
  const env = { ...process.env, GIT_DIR: repository, GIT_WORK_TREE: '.' }
  const git = (...args: string[]) => execFileSync('git', args, { env, encoding: 'utf8' })
  git('init', '--quiet', '--template=')
  const files = git('ls-files', '-z', '--others', ...excludes, '--', ...paths).split('\0')
  await rm(repository, { recursive: true })
  for (const file of files.slice(0, -1)) await cp(file, join(folder, file))
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  for (const environment of ['staging', 'live']) {
    const file = join(folder, `deploy/environments/${environment}.env`)
    const own = (await readFile(file, 'utf8')).replaceAll(/^(SERVICE_URL|ALLOWED_HOSTS)=.*\n?/gm, '')
    await writeFile(file, own)
  }
  return folder
}
