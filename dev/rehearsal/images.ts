import { createHash } from 'node:crypto'
import { cp, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Environment } from '../settings.ts'
import { path, startGroup } from './group.ts'
import { Refusal } from './stand-ins.ts'

/** The folder that an image's processes run in, and what they have in their environment at least. */
export interface Image {
  readonly folder: string
  readonly environment: Environment
  readonly digest: string
}

const journalFile = 'migrations/meta/_journal.json'

/**
 * Bundles what .dockerignore lets pass.
 *
 * @param context the folder to take it from
 * @param parent where the image's folder is made
 * @param args of the Dockerfile's, VERSION and COMMIT, which become variables
 */
export async function buildImage(
  context: string,
  parent: string,
  args: Environment,
  signal: AbortSignal,
): Promise<Image> {
  const folder = await mkdtemp(join(parent, 'image-'))
  const lines = (await readFile(join(context, '.dockerignore'), 'utf8')).split('\n')
  if (lines[0] !== '*') throw new Refusal('A .dockerignore that does not begin with * is not imitated')
  for (const file of lines.flatMap((line) => (line.startsWith('!') ? line.slice(1) : [])))
    await cp(join(context, file), join(folder, file), { recursive: true })
  await symlink(join(context, 'node_modules'), join(folder, 'node_modules'))
  const build = startGroup(['node', 'build.ts'], { cwd: folder, env: { PATH: path }, signal })
  if ((await build.exit) !== 0) throw new Refusal(build.output)
  return digest(folder, { NODE_ENV: 'production', VERSION: args.VERSION ?? '', COMMIT: args.COMMIT ?? '' })
}

/** The same image with one more migration, which fails in every database but the one of the step `try`. */
export async function withFailingMigration(image: Image): Promise<Image> {
  const folder = await mkdtemp(join(dirname(image.folder), 'image-'))
  await cp(image.folder, folder, { recursive: true, verbatimSymlinks: true })
  const { entries, ...rest } = JSON.parse(await readFile(join(folder, journalFile), 'utf8'))
  const { idx, when, ...last } = entries.at(-1)
  const failing = { ...last, idx: idx + 1, when: when + 1, tag: 'failing' }
  await writeFile(join(folder, journalFile), JSON.stringify({ ...rest, entries: [...entries, failing] }))
  await writeFile(join(folder, 'migrations/failing.sql'), `select 1 / (current_database() = 'try')::int`)
  return digest(folder, image.environment)
}

async function digest(folder: string, environment: Environment): Promise<Image> {
  const hash = createHash('sha256').update(JSON.stringify(environment))
  for (const file of ['dist/service.js', 'dist/migrate.js', journalFile])
    hash.update(await readFile(join(folder, file)))
  return { folder, environment, digest: `sha256:${hash.digest('hex')}` }
}
