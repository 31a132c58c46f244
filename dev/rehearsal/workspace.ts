import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Copies what `gcloud builds submit` would upload into a new folder below `parent`, with node_modules linked. Git says
 * what that is, by a repository of the moment: in Cloud Build there is none. A domain of one's own leads elsewhere, and is
 * left out.
 */
export async function copyTree(parent: string): Promise<string> {
  const folder = await mkdtemp(join(parent, 'workspace-'))
  const here = {
    cwd: root,
    env: { ...process.env, GIT_DIR: `${folder}.git`, GIT_WORK_TREE: root },
    maxBuffer: 1e8,
  }
  const git = (...args: string[]) => promisify(execFile)('git', args, here)
  await git('init', '--quiet')
  const { stdout } = await git('ls-files', '-z', '--others', ...(await ignored()))
  await rm(`${folder}.git`, { recursive: true })
  for (const file of stdout.split('\0').filter(isOurs)) await cp(join(root, file), join(folder, file))
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

/** Git ignores a folder node_modules, but not a link, which it is in a rehearsal's own `check`. */
const isOurs = (file: string) => file !== '' && file !== 'node_modules'

/** Without a .gcloudignore gcloud leaves out what git would; else it asks that alone, and what that includes. */
async function ignored(): Promise<string[]> {
  if (!existsSync(join(root, '.gcloudignore'))) return ['--exclude-standard']
  const own = await readFile(join(root, '.gcloudignore'), 'utf8')
  const more = own.includes('#!include:.gitignore') ? ['--exclude-from=.gitignore'] : []
  return ['--exclude-from=.gcloudignore', ...more]
}
