import { cp, mkdtemp, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Environment } from '../../machine/settings.ts'
import type { Image } from '../project/image.ts'
import { endOf, startGroup } from '../shell/group.ts'
import { path } from '../shell/programs.ts'

/**
 * Bundles the files that .dockerignore lets pass: those that its lines with a `!` name.
 *
 * @param context the folder to take them from
 * @param parent where the folder of the image is created
 * @param args the arguments of the Dockerfile; VERSION and COMMIT become variables
 */
export async function buildImage(context: string, parent: string, args: Environment): Promise<Image> {
  const folder = await mkdtemp(join(parent, 'image-'))
  const lines = (await readFile(join(context, '.dockerignore'), 'utf8')).split('\n')
  for (const file of lines.flatMap((line) => (line.startsWith('!') ? line.slice(1) : [])))
    await cp(join(context, file), join(folder, file), { recursive: true })
  await symlink(join(context, 'node_modules'), join(folder, 'node_modules'))
  await endOf(startGroup(['node', 'build.ts'], { cwd: folder, env: { PATH: path } }))
  return bundledImage(folder, args)
}

/** The image of a folder that has been bundled. */
export function bundledImage(folder: string, { VERSION = '', COMMIT = '' }: Environment = {}): Image {
  const own = { PATH: path, NODE_ENV: 'production', VERSION, COMMIT }
  return {
    start: (environment, line = ['node', 'dist/main.js']) =>
      startGroup(line, { cwd: folder, env: { ...own, ...environment } }),
  }
}
