import { globSync } from 'node:fs'
import { cp, readFile, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { expand, makeRepository, writeFiles } from '#test/kit'

const parts = [...globSync('*.{ts,cjs,json}'), 'src', 'dev', 'test', 'migrations', 'openapi']
const journalFile = 'migrations/features/meta/_journal.json'

test('a migration that takes a column from the revision before it fails test:expand', async () => {
  const { folder, commit } = await makeRepository()
  for (const part of parts) await cp(part, join(folder, part), { recursive: true })
  await commit()
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  const journal = JSON.parse(await readFile(journalFile, 'utf8'))
  const last = journal.entries.at(-1)
  journal.entries.push({ ...last, idx: last.idx + 1, when: last.when + 1, tag: '9999_contract' })
  await writeFiles(folder, {
    [journalFile]: JSON.stringify(journal),
    'migrations/features/9999_contract.sql': 'alter table orders drop column quantity',
  })

  const { status, output } = await expand(folder)
  expect({ status, output }).toMatchObject({ status: 1 })
  expect(output).toMatch(/Tests +[1-9]\d* failed \| [1-9]\d* passed/)
  expect(output).toContain('column \\"quantity\\"')
  expect(output).toMatch(/expand first, contract in a later deploy\.$/)
})
