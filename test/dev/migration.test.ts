import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { workingCopy } from '#test/kit'

const { folder, run } = await workingCopy()
const failure = (command: string) => run(command).catch((error: Error) => error.message)
const written = async () => (await run('git status --porcelain --untracked-files=all -- migrations')).trim()

test('a migration without a name is not written: the command asks for one', async () => {
  await run('git add --all')
  const said = await failure('npm run --silent migration')
  expect(said).toContain('Name the migration after what it does: npm run migration -- --name add_due_date')
  expect(await failure('npm run --silent migration:runtime')).toContain('npm run migration:runtime -- --name')
  expect(await written()).not.toMatch(/^\?\?/m)
})

test.each([
  ['Add-Due date', '--name add_due_date'],
  ['addDueDate', '--name add_due_date'],
  ['../0001', '--name add_due_date'],
  ['0001_notes', '--name notes'],
])('%j is no name, and the message says what to write', async (name, mend) => {
  const said = await failure(`npm run --silent migration -- --name '${name}'`)
  expect(said).toContain(`'${name}' cannot be the name of a migration`)
  expect(said).toContain(`npm run migration -- ${mend}`)
})

test('with a name it writes what the tables have changed, and with --custom an empty file', async () => {
  const table =
    "import { pgTable, text } from 'drizzle-orm/pg-core'\nexport const gifts = pgTable('gifts', { to: text('to') })\n"
  await mkdir(join(folder, 'src/gifts'))
  await writeFile(join(folder, 'src/gifts/table.ts'), table)
  await run('npm run --silent migration -- --name add_gifts')
  expect(await run('cat migrations/features/*_add_gifts.sql')).toMatch(/CREATE TABLE "gifts"/)
  await run('npm run --silent migration -- --name fill_gifts --custom')
  expect(await run('cat migrations/features/*_fill_gifts.sql')).not.toMatch(/CREATE|ALTER/)
  expect(folder).not.toBe(process.cwd())
})
