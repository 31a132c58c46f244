import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cp, glob, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '#test/support/migrations.ts'
import { expectRule } from '#test/support/rule.ts'
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
    const files = (await readdir(copy)).filter((name) => name.endsWith('.sql'))
    const added = files.filter((name) => !entries.some(({ tag }) => name === `${tag}.sql`))
    expectRule(
      'The migrations make what the tables are.',
      await Promise.all(added.map((name) => `${out}: ${readFileSync(join(copy, name), 'utf8')}`)),
      `run \`npm run ${script} -- --name what_it_does\`, look at the SQL, and commit it.`,
    )
    expect(said).toMatch(/No schema changes/) // else it asks something: run it by hand
  })

  test('are all right with drizzle-kit', () => {
    expect(drizzleKit('check', `--config=${file}`)).toContain("Everything's fine")
  })

  test('stand in the journal once each, in order of time', async () => {
    const { entries } = await journalOf(out)
    const files = (await readdir(out)).filter((name) => name.endsWith('.sql'))
    const tags = entries.map(({ tag }) => tag)
    const wrong = [
      ...files
        .filter((name) => !tags.includes(name.replace(/\.sql$/, '')))
        .map((name) => `${name} is not listed`),
      ...tags
        .filter((tag) => !files.includes(`${tag}.sql`))
        .map((tag) => `${tag}.sql is listed, but not there`),
      ...entries
        .filter(({ idx, tag }, index) => idx !== index || !tag.startsWith(`${String(idx).padStart(4, '0')}_`))
        .map(({ tag }) => `${tag} is out of turn: the numbers go up by one from 0000`),
      ...entries
        .filter(
          ({ when }, index) => when <= Math.max(...entries.slice(0, index).map((before) => before.when)),
        )
        .map(({ tag }) => `${tag} is no younger than one before it: it would be skipped in silence`),
    ]
    expectRule(
      `${out}/meta/_journal.json lists every migration once, in order of time.`,
      wrong.map((what) => `${out}: ${what}`),
      `take your migration out of the folder and the journal, with its snapshot, and run \`npm run ${script}\` again.`,
    )
  })
})

test('every table stands in a file that drizzle-kit looks at, for its own set alone', async () => {
  const looked = { features: new Set<string>(), runtime: new Set<string>() }
  for await (const file of glob([features.schema ?? []].flat())) looked.features.add(file)
  for await (const file of glob([runtime.schema ?? []].flat())) looked.runtime.add(file)
  const places: string[] = []
  for await (const file of glob('src/**/*.ts')) {
    const text = await readFile(file, 'utf8')
    const declares = /\b(pgTable|pgEnum|pgSchema|pgSequence|pgView|runtimeSchema\.\w+)\(/.test(text)
    const ofRuntime = file.startsWith('src/runtime/')
    expect(looked.runtime.has(file), file).toBe(declares && ofRuntime)
    if (declares && !ofRuntime && !looked.features.has(file)) places.push(file)
    if (ofRuntime) expect(looked.features.has(file) && declares, file).toBe(false)
    if (ofRuntime) expect(text, 'The tables of the runtime are in its schema').not.toMatch(/\bpgTable\(/)
  }
  expectRule(
    'Every table stands in a file that drizzle-kit looks at: table.ts, or one whose name ends with -table.ts.',
    places,
    'move the table, type or view to table.ts of its feature, or rename the file.',
  )
})
