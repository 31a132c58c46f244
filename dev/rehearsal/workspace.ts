import { execFileSync } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const excludes = ['--exclude-from=.gcloudignore', '--exclude-from=.gitignore'] // the one includes the other

/**
 * Copies what `gcloud builds submit` would upload into a new folder below `parent`, with node_modules linked. Git says
 * what that is, by a repository of the moment: in Cloud Build there is none. A domain of one's own leads elsewhere, and is
 * left out.
 */
export async function copyTree(parent: string): Promise<string> {
  const folder = await mkdtemp(join(parent, 'workspace-'))
  const repository = `${folder}.git`
  const env = { ...process.env, GIT_DIR: repository, GIT_WORK_TREE: root }
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, env, encoding: 'utf8' })
  git('init', '--quiet')
  const files = git('ls-files', '-z', '--others', ...excludes).split('\0')
  await rm(repository, { recursive: true })
  for (const file of files.slice(0, -1)) await cp(join(root, file), join(folder, file))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const environment of ['staging', 'live']) {
    const own = (await variablesOf(environment)).replaceAll(/^(SERVICE_URL|ALLOWED_HOSTS)=.*\n?/gm, '')
    await writeFile(join(folder, fileOf(environment)), own)
  }
  return folder
}

const fileOf = (environment: string) => `deploy/environments/${environment}.env`

/** An environment's variables, as its file has them. */
export const variablesOf = (environment: string) => readFile(join(root, fileOf(environment)), 'utf8')
