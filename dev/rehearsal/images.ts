import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Environment } from '../settings.ts'
import { path, startGroup } from './group.ts'
import { Refusal } from './stand-ins.ts'

/** The folder that an image's processes run in, and what they have in their environment at least. */
export interface Image {
  readonly folder: string
  readonly environment: Environment
  readonly digest: string
}

export type Images = Awaited<ReturnType<typeof createImages>>

/** Images by tag, and in the registry by digest; their files are below `folder`. */
export async function createImages(folder: string) {
  const tagged = new Map<string, Image>()
  const pushed = new Map<string, Image>()
  await mkdir(folder)

  async function add(files: string, environment: Environment): Promise<Image> {
    const hash = createHash('sha256').update(JSON.stringify(environment))
    for (const file of ['dist/service.js', 'dist/migrate.js', 'migrations/meta/_journal.json'])
      hash.update(await readFile(join(files, file)))
    return { folder: files, environment, digest: `sha256:${hash.digest('hex')}` }
  }

  return {
    tagged,
    /** By tag or by digest. */
    find: (name: string) => tagged.get(name) ?? pushed.get(name),
    pushed: (name: string) => pushed.get(name),

    /** Bundles what .dockerignore lets pass, with the build arguments VERSION and COMMIT as variables. */
    async build(context: string, tag: string, { VERSION = '', COMMIT = '' }: Environment): Promise<void> {
      const files = await mkdtemp(join(folder, 'image-'))
      const lines = (await readFile(join(context, '.dockerignore'), 'utf8')).split('\n')
      if (lines[0] !== '*') throw new Refusal('A .dockerignore that does not begin with * is not imitated')
      for (const file of lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1)))
        await cp(join(context, file), join(files, file), { recursive: true })
      await symlink(join(context, 'node_modules'), join(files, 'node_modules'))
      const build = startGroup(['node', 'build.ts'], { cwd: files, env: { PATH: path } })
      if ((await build.exit) !== 0) throw new Refusal(build.output)
      tagged.set(tag, await add(files, { NODE_ENV: 'production', VERSION, COMMIT }))
    },

    /** Returns the name by digest. */
    push(tag: string): string {
      const image = tagged.get(tag)
      if (!image) throw new Refusal(`An image does not exist locally with the tag: ${tag}`)
      const name = `${tag.replace(/:[^:/]*$/, '')}@${image.digest}`
      pushed.set(name, image)
      return name
    },

    /** Has a tag name the same image with one more migration, which fails wherever it is not the step `try`. */
    async addFailingMigration(from: string, tag: string): Promise<void> {
      const image = tagged.get(from)
      if (!image) throw new Refusal(`An image does not exist locally with the tag: ${from}`)
      const files = await mkdtemp(join(folder, 'image-'))
      await cp(image.folder, files, { recursive: true, verbatimSymlinks: true })
      const journal = join(files, 'migrations/meta/_journal.json')
      const { entries, ...rest } = JSON.parse(await readFile(journal, 'utf8'))
      const last = entries.at(-1)
      entries.push({ ...last, idx: last.idx + 1, when: last.when + 1, tag: '9999_failing' })
      await writeFile(journal, JSON.stringify({ ...rest, entries }))
      const sql = `select 1 / (current_database() = 'try')::int`
      await writeFile(join(files, 'migrations/9999_failing.sql'), sql)
      tagged.set(tag, await add(files, image.environment))
    },
  }
}
