import { execFileSync } from 'node:child_process'
import { cp, glob, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '#test/support/migrations.ts'
import config from '../../drizzle.config.ts'

const { out = '', schema = [] } = config
const journal = JSON.parse(await readFile(join(out, 'meta/_journal.json'), 'utf8')) as {
  entries: { idx: number; when: number; tag: string }[]
}

/** Runs drizzle-kit as its npm script would. */
function drizzleKit(...words: string[]): string {
  return execFileSync(process.execPath, ['node_modules/drizzle-kit/bin.cjs', ...words], { encoding: 'utf8' })
}

test('the migrations are up to date with the tables', async () => {
  const folder = await temporaryFolder()
  const copy = join(folder, 'migrations')
  await cp(out, copy, { recursive: true })
  const file = join(folder, 'drizzle.config.json')
  await writeFile(file, JSON.stringify({ ...config, out: relative('.', copy) })) // it takes no absolute path
  const said = drizzleKit('generate', `--config=${relative('.', file)}`)
  const added = (await readdir(copy)).filter(
    (name) => !journal.entries.some(({ tag }) => name === `${tag}.sql`),
  )
  expect(added, 'The tables have changed: npm run migration').toEqual(['meta'])
  expect(said).toContain('No schema changes')
})

test('drizzle-kit finds nothing wrong with the migrations', () => {
  expect(drizzleKit('check')).toContain("Everything's fine")
})

test('the journal lists every migration once, in order of time: an older one would be skipped in silence', async () => {
  const { entries } = journal
  expect(entries.map(({ idx }) => idx)).toEqual([...entries.keys()])
  const times = entries.map(({ when }) => when)
  expect(times).toEqual([...new Set(times)].sort((a, b) => a - b))
  const files = (await readdir(out)).filter((name) => name.endsWith('.sql'))
  expect(files.sort()).toEqual(entries.map(({ tag }) => `${tag}.sql`).sort())
  for (const { tag, idx } of entries) expect(tag).toMatch(new RegExp(`^${String(idx).padStart(4, '0')}_`))
})

test('every table stands in a file that drizzle-kit looks at', async () => {
  const looked: string[] = []
  for await (const file of glob([schema].flat())) looked.push(file)
  for await (const file of glob('src/**/*.ts')) {
    const declares = /\b(pgTable|pgEnum|pgSchema|pgSequence|pgView)\(/.test(await readFile(file, 'utf8'))
    if (declares) expect(looked, file).toContain(file)
  }
  expect(looked.length).toBeGreaterThan(0)
})
