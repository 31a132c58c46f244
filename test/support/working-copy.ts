import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from './migrations.ts'
import { git } from './repository.ts'

/** A copy of this repository to change, with node_modules linked; it goes with the file. */
export interface WorkingCopy {
  readonly folder: string
  /** Changes a file. @throws if nothing changes */
  edit(file: string, change: (text: string) => string): Promise<void>
  /** Runs a command line in it. Returns what it printed. @throws with what it printed, if it fails */
  run(command: string, environment?: Record<string, string>): Promise<string>
}

/**
 * Gives the copy node_modules, by hard links where that is possible. Then what tsc found here holds there too, because paths
 * are the same: its first run takes 1 s and not 7.
 */
async function linkPackages(folder: string): Promise<void> {
  const packages = join(folder, 'node_modules')
  try {
    await promisify(execFile)('cp', ['-al', 'node_modules', packages])
  } catch {
    await rm(packages, { recursive: true, force: true }) // another device, or another kind of cp
    return symlink(resolve('node_modules'), packages)
  }
  await mkdir(join(folder, '.build'))
  await cp('.build/tsc.tsbuildinfo', join(folder, '.build/tsc.tsbuildinfo')).catch(() => {})
}

/** Copies what git knows and what is new; a repository of its own, where biome and knip look for what is ignored. */
export async function workingCopy(): Promise<WorkingCopy> {
  const folder = await temporaryFolder()
  await git(folder, 'init', '--quiet')
  const scratch = ['--git-dir', join(folder, '.git'), '--work-tree', '.']
  const listed = await git('.', ...scratch, 'ls-files', '-z', '--others', '--exclude-standard')
  const files = listed.split('\0').filter(Boolean)
  await Promise.all(files.map((file) => cp(file, join(folder, file))))
  await linkPackages(folder)

  async function edit(file: string, change: (text: string) => string): Promise<void> {
    const path = join(folder, file)
    const text = await readFile(path, 'utf8')
    const changed = change(text)
    if (changed === text) throw new Error(`Nothing to change was found in ${file}`)
    await writeFile(path, changed)
  }

  async function run(command: string, environment: Record<string, string> = {}): Promise<string> {
    const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter)
    const fixed = { NO_COLOR: '1', CI: 'true', SHLVL: '1' } // at level 1 bash reads ~/.bashrc where stdin is a socket
    const env = { PATH, HOME: process.env.HOME ?? '', ...fixed, ...environment }
    const options = { cwd: folder, env, maxBuffer: 2 ** 26 }
    try {
      const { stdout, stderr } = await promisify(execFile)(
        'bash',
        ['-euo', 'pipefail', '-c', command],
        options,
      )
      return `${stdout}${stderr}`
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
      throw new Error(`${command} failed:\n${stdout}${stderr}`)
    }
  }

  return { folder, edit, run }
}
