import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { workingCopy } from '#test/kit'

test('a feature, a task, a schedule and a migration pass the checks and their tests as they are written', async () => {
  const { folder, run } = await workingCopy()
  await run('git add --all')
  const said = await run('npm run --silent new -- feature line-items')
  expect(said).toContain('made     src/line-items/routes.ts')
  await run('npm run --silent new -- feature people --singular person')
  await run('npm run --silent new -- task line-items.remind-all')
  await run('npm run --silent new -- schedule line-items.nightly')
  await run('npm run --silent new -- migration fill_names')

  const app = await readFile(join(folder, 'src/app.ts'), 'utf8')
  expect(app).toMatch(/^export const features: readonly Feature\[\] = \[.*lineItems, people\]$/m)
  const feature = await readFile(join(folder, 'src/line-items/line-items.ts'), 'utf8')
  expect(feature).toContain('tasks: [prepareLineItem, remindAll, nightlyTask],\n  schedules: [nightly],\n')
  expect(feature).toContain(
    "/** Line items. */\nexport const lineItems = defineFeature({\n  name: 'line-items',\n",
  )
  const routes = await readFile(join(folder, 'src/people/routes.ts'), 'utf8')
  expect(routes).toContain("path: '/people/{id}',\n  operationId: 'getPerson',")
  expect(routes).toContain("summary: 'Create a person'")
  const written = await run('git status --porcelain --untracked-files=all')
  expect(written).toMatch(/\?\? migrations\/features\/\d{4}_add_line_items\.sql/)
  expect(written).toMatch(/\?\? migrations\/features\/\d{4}_fill_names\.sql/)
  const left =
    'grep -rniE "template.?(item|task|schedule)" src test/people test/line-items openapi migrations || true'
  expect(await run(left)).not.toMatch(/template/i)

  await run('npm run check && npm run openapi:lint')
  const tests = [
    'test/line-items',
    'test/people',
    'test/rules/code.test.ts',
    'test/rules/contract.test.ts',
    'test/rules/migrations.test.ts',
  ]
  const output = await run(`npx vitest run --project service ${tests.join(' ')}`, {
    TEST_DATABASE_URL: inject('serverUrl'),
  })
  expect(output).toMatch(/Tests +\d{2,} passed/)
}, 900_000)

test('a file that is written in another way is left as it is, and the message says what to write', async () => {
  const { edit, run } = await workingCopy()
  await run('git add --all')
  await edit('src/app.ts', (text) => text.replace('const features: readonly Feature[] =', 'const features ='))
  await run('git add --all')
  const said = await run('npm run --silent new -- feature line-items').catch((error: Error) => error.message)
  expect(said).toContain(
    "src/app.ts has no line 'export const features: readonly Feature[] = […]': write it so",
  )
  const status = await run('git status --porcelain --untracked-files=all')
  expect(status.match(/^( M|\?\?) .*/gm)).toBeNull()
})
