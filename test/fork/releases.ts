import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { temporaryFolder } from '#test/kit'
import { git } from '#test/support/repository.ts'

/** A folder's files, to change. */
type Files = ReturnType<typeof filesIn>

/**
 * A repository of the template with the releases 0.1.0, which is what is here, 0.2.0 and 0.3.0, and a commit between the first
 * two that is no release: its branch is `between`.
 *
 * @param start a repository whose commit has the files of 0.1.0
 */
export async function makeTemplate(start: string): Promise<string> {
  const folder = await temporaryFolder()
  await git(folder, 'init', '--quiet', '--initial-branch=main')
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  await git(folder, 'fetch', '--quiet', start, 'HEAD')
  await git(folder, 'read-tree', '-u', '--reset', 'FETCH_HEAD')
  await release(folder, '0.1.0')
  const files = filesIn(folder)
  await files.change('docs/database.md', (text) => `${text}\nA line between two releases.\n`)
  await git(folder, 'commit', '--quiet', '--all', '--message=Between')
  await git(folder, 'branch', 'between')
  await changeForSecond(files)
  await release(folder, '0.2.0')
  await changeForThird(files)
  await release(folder, '0.3.0')
  return folder
}

async function release(folder: string, version: string): Promise<void> {
  const files = filesIn(folder)
  if (version !== '0.1.0')
    await files.change('package.json', (text) =>
      text.replace(/("template": \{\s*"version": )"[^"]*"/, `$1"${version}"`),
    )
  await git(folder, 'add', '--all')
  await git(folder, 'commit', '--quiet', `--message=Release ${version}`)
  await git(folder, 'tag', `v${version}`)
}

/** A name changes, and there is a codemod for it. The example has a column more, and the runtime a migration. */
async function changeForSecond(files: Files): Promise<void> {
  const users = await git(files.folder, 'grep', '-lw', 'pageOf', '--', 'src', 'dev', 'test', 'docs')
  for (const path of users.split('\n'))
    await files.change(path, (text) => text.replaceAll(/\bpageOf\b/g, 'pageOfRows'))
  await files.write(
    'dev/upgrade/codemods/0.2.0.ts',
    "import type { Codemod } from '../codemods.ts'\n\n/** `pageOf` has another name. */\n" +
      "export const changes: Codemod = { '{src,dev,test}/**/*.ts': [[/\\bpageOf\\b/g, 'pageOfRows']] }\n",
  )
  await files.change('src/runtime/kernel/duration.ts', (text) => `${text}\n// of 0.2.0\n`)
  await files.change('docs/database.md', (text) => text.replace('between two releases', 'of 0.2.0'))
  await files.change('docs/tasks.md', (text) => `${text}\nA line of 0.2.0.\n`)
  await files.change('src/app.ts', (text) =>
    text.replace(
      '/** The title and the description of the contract. */',
      '/** What the contract says of itself. */',
    ),
  )
  await files.change('cloudbuild.yaml', (text) => text.replace(/^ {2}_REGION:.*$/m, '$& # near you'))
  await files.change('package.json', (text) => {
    const { devDependencies, dependencies, ...rest } = JSON.parse(text)
    const { inflection, ...others } = devDependencies
    const moved = { ...rest, dependencies: { ...dependencies, inflection }, devDependencies: others }
    return `${JSON.stringify(moved, null, 2)}\n`
  })
  await files.change('package-lock.json', (text) =>
    text.replace('"lockfileVersion": 3', '"lockfileVersion":  3'),
  )
  await files.change('openapi/openapi.json', (text) => text.replace('"openapi"', ' "openapi"'))
  await files.change('src/orders/table.ts', (text) =>
    text.replace("    item: text('item').notNull(),\n", "$&    note: text('note'),\n"),
  )
  await files.write('test/orders/note.test.ts', "import { test } from 'vitest'\n\ntest('a note', () => {})\n")
  await files.write('test/config/later.test.ts', "import { test } from 'vitest'\n\ntest('later', () => {})\n")
  await files.migrate('--runtime', 'later', 'select 2;\n')
  await files.migrate('--custom', 'note', 'alter table orders add column note text;\n')
  await files.note('0.2.0', '- Look at your lists: `pageOf` is `pageOfRows`.')
}

/** A setting and a file go, and there is a second example. */
async function changeForThird(files: Files): Promise<void> {
  await files.write(
    'dev/upgrade/codemods/0.3.0.ts',
    "import type { Codemod } from '../codemods.ts'\n\n/** A variable has another name. */\n" +
      "export const changes: Codemod = { '.env': [[/^OLD_NAME=/m, 'NEW_NAME=']] }\n",
  )
  await rm(join(files.folder, 'test/config/later.test.ts'))
  await files.change('src/runtime/kernel/duration.ts', (text) => `// of 0.3.0\n\n${text}`)
  await files.change('cloudbuild.yaml', (text) => text.replace(/ # near you$/m, ' # nearer'))
  await files.write(
    'src/gadgets/gadgets.ts',
    "import { defineFeature } from '#runtime'\n\n/** Gadgets. */\nexport const gadgets = defineFeature({\n" +
      "  name: 'gadgets',\n  description: 'Gadgets.',\n  routes: () => [],\n})\n",
  )
  await files.change('src/app.ts', (text) =>
    text
      .replace(/^import \{ orders \}/m, "import { gadgets } from './gadgets/gadgets.ts'\n$&")
      .replace('= [orders', '= [gadgets, orders'),
  )
  await files.change('dev/fork/eject-files.ts', (text) =>
    text.replace(
      'Record<string, Example>> = {\n',
      "$&  gadgets: { paths: ['src/gadgets'], tables: [], changes: { 'src/app.ts': unlisted('gadgets') } },\n",
    ),
  )
  await files.migrate('--runtime', 'latest', 'select 3;\n')
  await files.note('0.3.0', '- Nothing.')
}

function filesIn(folder: string) {
  async function write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }

  async function change(path: string, by: (text: string) => string): Promise<void> {
    const text = await readFile(join(folder, path), 'utf8')
    const changed = by(text)
    if (changed === text) throw new Error(`Nothing to change was found in ${path}`)
    await writeFile(join(folder, path), changed)
  }

  /** Adds a migration as drizzle-kit does: the SQL, the journal, and what the tables are, which is what they were. */
  async function migrate(set: '--runtime' | '--custom', name: string, sql: string): Promise<void> {
    const out = `migrations/${set === '--runtime' ? 'runtime' : 'features'}`
    const journal = JSON.parse(await readFile(join(folder, out, 'meta/_journal.json'), 'utf8'))
    const last = journal.entries.at(-1)
    const number = (idx: number) => String(idx).padStart(4, '0')
    const [tag, idx] = [`${number(last.idx + 1)}_${name}`, last.idx + 1]
    journal.entries.push({ ...last, idx, when: last.when + 60_000, tag })
    await write(`${out}/${tag}.sql`, sql)
    await write(`${out}/meta/_journal.json`, JSON.stringify(journal, null, 2))
    const snapshot = await readFile(join(folder, out, `meta/${number(last.idx)}_snapshot.json`), 'utf8')
    const { id, prevId: _, ...tables } = JSON.parse(snapshot)
    const next = { id: crypto.randomUUID(), prevId: id, ...tables }
    await write(`${out}/meta/${number(idx)}_snapshot.json`, JSON.stringify(next, null, 2))
  }

  function note(version: string, steps: string): Promise<void> {
    const part = `## [${version}] - 2027-01-01\n\n### Changed\n\n- Much.\n\n### For forks\n\n${steps}\n\n`
    return change('CHANGELOG.md', (text) => text.replace(/^## /m, `${part}$&`))
  }

  return { folder, write, change, migrate, note }
}
