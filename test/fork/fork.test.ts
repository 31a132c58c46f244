import { existsSync } from 'node:fs'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { migrate } from '#runtime'
import { makeDatabase, onServer, readPages, type WorkingCopy, workingCopy } from '#test/kit'

const pages = readPages()

/** Writes the files that the documentation shows in full, and does what it says about them. */
async function addNotes({ folder, edit }: WorkingCopy): Promise<void> {
  for (const { text } of pages.flatMap(({ blocks }) => blocks)) {
    const [, path] = /^\/\/ ((?:src|test)\/[\w/.-]+\.ts)\n/.exec(text) ?? []
    if (!path) continue
    await mkdir(join(folder, dirname(path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  await edit('src/notes/notes.ts', (text) =>
    text
      .replace(/^import \{ notes as table \}.*$/m, "$&\nimport { archiveNotes } from './tasks.ts'")
      .replace(/^ {2}variables:/m, '  tasks: [archiveNotes],\n$&'),
  )
  await edit('src/app.ts', (text) =>
    text
      .replace(/^import .*orders\.ts'$/m, "$&\nimport { notes } from './notes/notes.ts'")
      .replace(/= \[orders(.*)\]/, '= [orders$1, notes]'),
  )
  await edit('.env.example', (text) => `${text}\n# How many notes anybody may have.\n# NOTES_LIMIT=100\n`)
}

/** Adds what a service does: files to download, a login, a task by the clock, variables with and without a default. */
async function addInvoices({ folder, edit }: WorkingCopy): Promise<void> {
  await cp('test/fork/fixtures', folder, { recursive: true })
  await edit('src/app.ts', (text) =>
    text
      .replace(/^import .*notes\.ts'$/m, "import { invoices } from './invoices/invoices.ts'\n$&")
      .replace(/^import .*notes\.ts'$/m, "import { login } from './login/login.ts'\n$&")
      .replace('notes]', 'notes, invoices, login]'),
  )
  await edit('placeholders.ts', (text) => text.replace('= {\n', "= {\n  INVOICES_SENDER: 'a@example.com',\n"))
  for (const environment of ['staging', 'live'])
    await edit(`deploy/environments/${environment}.env`, (text) => `${text}INVOICES_SENDER=a@example.com\n`)
  await edit('.env.example', (text) => {
    return `${text}\n# Wer sie schickt.\n# INVOICES_SENDER=\n\n# Tage bis zur Mahnung.\n# INVOICES_DAYS=14\n`
  })
}

/** The tests that look at what a fork has: the rules, its own, and what runs the service that src/app.ts makes. */
const files = [
  ...['test/rules', 'test/style.test.ts', 'test/notes', 'test/invoices', 'test/database/migrate.test.ts'],
  ...[
    'test/config',
    'test/process/start.test.ts',
    'test/process/acceptance.test.ts',
    'test/dev/token.test.ts',
  ],
]

/** What these steps make must not be there, and what they delete must. */
function expectTemplate(): void {
  const made = ['notes', 'invoices', 'login'].map((name) => `src/${name}`).filter(existsSync)
  if (made.length === 0 && existsSync('src/orders')) return
  throw new Error(
    'test/fork/ follows the documentation on the template as it comes, and this is a fork of it: ' +
      `${[...made, ...(existsSync('src/orders') ? [] : ['no src/orders'])].join(', ')}.\nMend: rm -r test/fork`,
  )
}

test('a fork takes its name, adds features, takes the example out, and passes the template’s checks and tests', async () => {
  expectTemplate()
  const copy = await workingCopy()
  const url = await makeDatabase() // as the example left it
  const migrations = join(copy.folder, 'migrations')

  await addNotes(copy)
  await copy.run('npm run migration -- --name notes')
  await copy.run('npm run rename -- my-service && npm run eject')
  await addInvoices(copy)
  await copy.run('npm run migration -- --name invoices && npm run openapi && npm run format')

  await copy.run('npm run check && npm run openapi:lint')
  const suite = `npx vitest run --project service ${files.join(' ')}`
  const output = await copy.run(suite, { TEST_DATABASE_URL: inject('serverUrl') })
  expect(output).toMatch(/Tests +\d{3,} passed/)

  expect(await migrate(url, migrations)).toEqual({ runtime: 0, features: 3 })
  const { rows } = await onServer(
    url,
    "select tablename from pg_tables where schemaname = 'public' order by 1",
  )
  const tables = rows.map(({ tablename }) => tablename)
  expect(tables).toEqual(expect.arrayContaining(['invoices', 'notes']))
  expect(tables).not.toContain('orders')
}, 900_000)
