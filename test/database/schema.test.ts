import { execFileSync } from 'node:child_process'
import { cp, glob, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '#test/support/migrations.ts'
import features from '../../drizzle.config.ts'
import runtime from '../../drizzle.runtime.config.ts'

const sets = [
  { name: 'features', script: 'migration', file: 'drizzle.config.ts', config: features },
  { name: 'runtime', script: 'migration:runtime', file: 'drizzle.runtime.config.ts', config: runtime },
]

interface Journal {
  entries: { idx: number; when: number; tag: string }[]
}

async function journalOf(out = ''): Promise<Journal> {
  return JSON.parse(await readFile(join(out, 'meta/_journal.json'), 'utf8'))
}

/** Runs drizzle-kit as its npm script would. */
function drizzleKit(...words: string[]): string {
  return execFileSync(process.execPath, ['node_modules/drizzle-kit/bin.cjs', ...words], { encoding: 'utf8' })
}

describe.each(sets)('the migrations of the $name', ({ script, file, config }) => {
  const { out = '' } = config

  test('are up to date with the tables', async () => {
    const folder = await temporaryFolder()
    const copy = join(folder, 'migrations')
    await cp(out, copy, { recursive: true })
    const other = join(folder, 'drizzle.config.json')
    await writeFile(other, JSON.stringify({ ...config, out: relative('.', copy) })) // it takes no absolute path
    const said = drizzleKit('generate', `--config=${relative('.', other)}`)
    const { entries } = await journalOf(out)
    const added = (await readdir(copy)).filter((name) => !entries.some(({ tag }) => name === `${tag}.sql`))
    expect(added, `The tables have changed: npm run ${script}`).toEqual(['meta'])
    expect(said).toContain('No schema changes')
  })

  test('are all right with drizzle-kit', () => {
    expect(drizzleKit('check', `--config=${file}`)).toContain("Everything's fine")
  })

  test('stand in the journal once each, in order of time', async () => {
    const { entries } = await journalOf(out)
    expect(entries.map(({ idx }) => idx)).toEqual([...entries.keys()])
    const times = entries.map(({ when }) => when)
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b))
    const files = (await readdir(out)).filter((name) => name.endsWith('.sql'))
    expect(files.sort()).toEqual(entries.map(({ tag }) => `${tag}.sql`).sort())
    for (const { tag, idx } of entries) expect(tag).toMatch(new RegExp(`^${String(idx).padStart(4, '0')}_`))
  })
})

test('every table stands in a file that drizzle-kit looks at, for its own set alone', async () => {
  const looked = { features: new Set<string>(), runtime: new Set<string>() }
  for await (const file of glob([features.schema ?? []].flat())) looked.features.add(file)
  for await (const file of glob([runtime.schema ?? []].flat())) looked.runtime.add(file)
  for await (const file of glob('src/**/*.ts')) {
    const text = await readFile(file, 'utf8')
    const declares = /\b(pgTable|pgEnum|pgSchema|pgSequence|pgView|runtimeSchema\.\w+)\(/.test(text)
    const ofRuntime = file.startsWith('src/runtime/')
    expect(looked.runtime.has(file), file).toBe(declares && ofRuntime)
    if (declares) expect(looked.features.has(file), file).toBe(!ofRuntime)
    if (ofRuntime) expect(text, 'The tables of the runtime are in its schema').not.toMatch(/\bpgTable\(/)
  }
})
