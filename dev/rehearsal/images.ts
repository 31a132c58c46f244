import { randomBytes } from 'node:crypto'
import { cp, mkdtemp, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Environment } from '../settings.ts'
import { runGroup } from './group.ts'
import { path, Refusal } from './stand-ins.ts'

/** The folder that an image's processes run in, and what they have in their environment at least. */
export interface Image {
  readonly folder: string
  readonly environment: Environment
  readonly digest: string
}

/**
 * Bundles what .dockerignore lets pass.
 *
 * @param context the folder to take it from
 * @param parent where the image's folder is made
 * @param args of the Dockerfile's, VERSION and COMMIT, which become variables
 */
export async function buildImage(context: string, parent: string, args: Environment): Promise<Image> {
  const folder = await mkdtemp(join(parent, 'image-'))
  const lines = (await readFile(join(context, '.dockerignore'), 'utf8')).split('\n')
  if (lines[0] !== '*') throw new Refusal('A .dockerignore that does not begin with * is not imitated')
  for (const file of lines.flatMap((line) => (line.startsWith('!') ? line.slice(1) : [])))
    await cp(join(context, file), join(folder, file), { recursive: true })
  await symlink(join(context, 'node_modules'), join(folder, 'node_modules'))
  await runGroup(['node', 'build.ts'], { cwd: folder, env: { PATH: path } })
  const { VERSION = '', COMMIT = '' } = args
  const digest = `sha256:${randomBytes(32).toString('hex')}`
  return { folder, environment: { NODE_ENV: 'production', VERSION, COMMIT }, digest }
}
