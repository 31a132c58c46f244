import { existsSync } from 'node:fs'
import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { migrate } from '#runtime'
import { makeDatabase, onServer } from '#test/kit'
import { type Block, readPages } from '#test/support/pages.ts'
import { documents, expectDocuments } from './documents.ts'
import { type Fork, makeFork } from './fork.ts'
import { kindOf } from './notes.ts'

// A reader works through the pages, in this order, in a fork of the template.

const order = [
  ...['README', 'operating', 'security', 'database', 'features', 'webhooks', 'tasks', 'going-live'],
  ...['configuration', 'upgrading', 'testing', 'working', 'from-pymacaron', 'CONTRIBUTING', 'SECURITY'],
]
const pages = readPages().filter(({ path }) => !path.startsWith('docs/decisions/'))
const blocks = pages.flatMap((page) => page.blocks)
const done = ['file', 'lines', 'fragment', 'commands', 'statements']

/** The blocks of a page that a reader does something about. */
function stepsOf(name: string): Block[] {
  const of = (page: string) => page.replace(/^docs\/|\.md$/g, '') === name
  return blocks.filter((block) => of(block.page) && done.includes(kindOf(block) ?? ''))
}

let fork: Fork
/** A database as the example left it. */
let databaseUrl: string

/** What these steps make must not be there, and what they delete must. */
function expectTemplate(): void {
  const made = ['notes', 'invoices', 'receipts', 'login'].map((name) => `src/${name}`).filter(existsSync)
  if (made.length === 0 && existsSync('src/orders')) return
  throw new Error(
    'test/docs/ follows the pages on the template as it comes, and this is a fork of it: ' +
      `${[...made, ...(existsSync('src/orders') ? [] : ['no src/orders'])].join(', ')}.\nMend: rm -r test/docs`,
  )
}

/** Cancels a further order by the commands of the tour, before its task is delivered. */
async function cancelInTime(key: string): Promise<void> {
  const [, place, look] = stepsOf('README') as [Block, Block, Block]
  await turnQueue('pause')
  await fork.follow({ ...place, text: place.text.replace('first', key) })
  const prints = 'test\nprints: "status":"placed"\nprints: HTTP/1.1 200 OK\nprints: "status":"cancelled"'
  await fork.follow({ ...look, note: prints })
  await turnQueue('resume')
}

/** Pauses or resumes the queue of `npm run dev`. */
async function turnQueue(verb: 'pause' | 'resume'): Promise<void> {
  const queue = `${fork.dev.emulator}/v2/projects/dev/locations/local/queues/default`
  await fetch(`${queue}:${verb}`, { method: 'POST' })
}

/** Gives up the task of the cancelled order; what the page does with it is not delivered meanwhile. */
async function killTask(): Promise<void> {
  await turnQueue('pause')
  const statement = "update runtime.tasks set state = 'dead', finished_at = now() where state = 'cancelled'"
  await onServer(fork.dev.databaseUrl, statement)
}

/** Lists the tasks of the page in their feature. */
function listTask(): Promise<void> {
  return fork.edit('src/notes/notes.ts', (text) =>
    text
      .replace(
        /^import \{ notes as table \}.*$/m,
        "import { exportNotes } from './exports.ts'\nimport { reportLetters, sendLetter } from './letters.ts'\n$&\nimport { archiveNotes } from './tasks.ts'",
      )
      .replace(/^ {2}variables:/m, '  tasks: [archiveNotes, sendLetter, reportLetters, exportNotes],\n$&'),
  )
}

/** Adds what a service does: files to download, a login, a task by the clock, variables with and without a default. */
async function addReceipts(): Promise<void> {
  await cp('test/docs/fixtures', fork.folder, { recursive: true })
  await fork.edit('src/app.ts', (text) =>
    text
      .replace(/^import .*notes\.ts'$/m, "import { receipts } from './receipts/receipts.ts'\n$&")
      .replace(/^import .*notes\.ts'$/m, "import { login } from './login/login.ts'\n$&")
      .replace(/(export const features\b.*)\]/, '$1, receipts, login]'),
  )
  await fork.edit('placeholders.ts', (text) =>
    text.replace('= {\n', "= {\n  RECEIPTS_SENDER: 'a@example.com',\n"),
  )
  for (const environment of ['staging', 'live'])
    await fork.edit(
      `deploy/environments/${environment}.env`,
      (text) => `${text}RECEIPTS_SENDER=a@example.com\n`,
    )
  await fork.edit('.env.example', (text) => {
    return `${text}\n# Wer sie schickt.\n# RECEIPTS_SENDER=\n\n# Tage bis zur Mahnung.\n# RECEIPTS_DAYS=14\n`
  })
  await fork.run('npm run migration -- --name receipts && npm run openapi && npm run format')
}

/** Adds a feature whose name has two words, with a task and a schedule, one whose plural is irregular, and those of documents. */
async function addFeatures(): Promise<void> {
  const commands = ['feature line-items', 'feature people --singular person', 'task line-items.remind-all']
  commands.push('schedule line-items.nightly', 'migration fill_names')
  for (const [name, file] of Object.entries(documents))
    commands.push(`feature ${name} --from test/dev/new/fixtures/${file}`)
  const said = await fork.run(commands.map((rest) => `npm run new -- ${rest}`).join(' && '))
  expect(said).toContain('made     src/line-items/routes.ts')
  const read = (path: string) => readFile(join(fork.folder, path), 'utf8')
  expect(await read('src/app.ts')).toMatch(/\blineItems,\s+people,\s+shop,\s+library,\s+trees,?\s+\]$/m)
  await expectDocuments(said, read)
  const feature = await read('src/line-items/line-items.ts')
  expect(feature).toContain('tasks: [prepareLineItem, remindAll, nightlyTask],\n  schedules: [nightly],\n')
  const start = "/** Line items. */\nexport const lineItems = defineFeature({\n  name: 'line-items',\n"
  expect(feature).toContain(start)
  const routes = await read('src/people/routes.ts')
  expect(routes).toContain("path: '/people/{id}',\n  operationId: 'getPerson',")
  expect(routes).toContain("summary: 'Create a person'")
  expect(await fork.run('ls migrations/features')).toMatch(/\d{4}_fill_names\.sql/)
  const left =
    'grep -rniE "template.?(item|task|schedule)" src test/people test/line-items migrations || true'
  expect(await fork.run(left)).toBe('')
}

/** What a page says in its text: before the block that begins so, or at its end. */
const between: readonly { page: string; before?: string; act(): Promise<unknown> }[] = [
  { page: 'README', act: () => cancelInTime('second') },
  { page: 'webhooks', before: 'TOKEN=', act: () => turnQueue('resume') }, // killTask has paused it
  { page: 'tasks', act: listTask },
  { page: 'tasks', act: addReceipts },
  { page: 'tasks', act: addFeatures },
  { page: 'operating', before: 'curl "$URL/runtime/tasks?', act: killTask },
  { page: 'database', before: 'rm -r migrations', act: () => fork.run('cp -r migrations .build/') },
  { page: 'database', act: () => fork.run('npm run check && rm -r migrations && mv .build/migrations .') },
  { page: 'going-live', act: () => fork.stopDev() },
]

/** Expects that the fork passes the template's tests, those of the pages, and what stands around their fragments. */
async function passesTests(): Promise<void> {
  const fragments = (await readdir(join(fork.folder, 'test/fragments'))).filter((file) =>
    file.endsWith('.ts'),
  )
  const imports = fragments.map((file) => `import './${file}'\n`).join('')
  const first = "import { test } from 'vitest'\n\ntest('the fragments of the pages run', () => {})\n"
  await writeFile(join(fork.folder, 'test/fragments/fragments.test.ts'), `${imports}${first}`)

  const suite = `npx vitest run --project service --exclude test/rules/examples.test.ts ${files.join(' ')}`
  const output = await fork.run(suite, { TEST_DATABASE_URL: inject('serverUrl') })
  expect(output).toMatch(/Tests +\d{3,} passed/)

  const migrated = await migrate(databaseUrl, join(fork.folder, 'migrations'))
  expect(migrated).toEqual({ runtime: 0, features: 7 })
  const statement = "select tablename from pg_tables where schemaname = 'public' order by 1"
  const { rows } = await onServer(databaseUrl, statement)
  const tables = rows.map(({ tablename }) => tablename)
  expect(tables).toEqual(expect.arrayContaining(['invoices', 'line_items', 'notes', 'people', 'receipts']))
  expect(tables).not.toContain('orders')
}

/**
 * The tests that look at what a fork has: the rules, its own, and what runs the service that src/app.ts makes. The examples
 * of the runtime's door are the template's alone.
 */
const files = [
  ...['test/fragments', 'test/rules', 'test/style.test.ts', 'test/notes', 'test/receipts'],
  ...[
    'test/invoices',
    'test/line-items',
    'test/people',
    ...Object.keys(documents).map((name) => `test/${name}`),
  ],
  ...['test/database/migrate.test.ts', 'test/config', 'test/process/start.test.ts'],
  ...['test/process/acceptance.test.ts', 'test/dev/token.test.ts'],
]

test('no page is left out', () => {
  const known = order.map((name) => (/^[A-Z]/.test(name) ? `${name}.md` : `docs/${name}.md`))
  expect(known.toSorted()).toEqual(pages.map(({ path }) => path).toSorted())
})

test('a reader does in a fork what the pages say, and it passes its checks and tests', async () => {
  expectTemplate()
  databaseUrl = await makeDatabase()
  fork = await makeFork()
  for (const name of order) {
    const acts = between.filter(({ page }) => page === name)
    for (const step of stepsOf(name)) {
      for (const { before, act } of acts) if (before && step.text.startsWith(before)) await act()
      await fork.follow(step)
    }
    for (const { before, act } of acts) if (!before) await act()
  }
  await passesTests()
}, 1_800_000) // some minutes, where nothing else runs
