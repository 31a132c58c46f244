import { readFile, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Refusal, run } from './run.ts'

/**
 * Gives the folder of a revision the packages that its lock file names: those installed here, if they are the same.
 *
 * @throws {Refusal} if they cannot be installed
 */
export async function givePackages(folder: string, signal: AbortSignal): Promise<void> {
  const [theirs, ours] = await Promise.all([readLock(folder), readLock('.')])
  const same = Object.keys(theirs).every(
    (path) => path === '' || theirs[path]?.integrity === ours[path]?.integrity,
  )
  if (same) return symlink(resolve('node_modules'), join(folder, 'node_modules'))
  const install = ['npm', 'ci', '--no-audit', '--no-fund']
  if ((await run(install, { cwd: folder, env: withoutNpm(process.env), signal })) !== 0)
    throw new Refusal('Its packages cannot be installed: see above.')
}

async function readLock(folder: string): Promise<Record<string, { integrity?: string }>> {
  return JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8')).packages
}

/** Without what `npm run` says of the project that it runs in. */
function withoutNpm(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const ofProject = /^npm_(package|lifecycle|config_local_prefix|command|execpath)/
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !ofProject.test(name)))
}
