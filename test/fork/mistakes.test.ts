import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { type WorkingCopy, workingCopy } from '#test/kit'

// What somebody who writes a feature forgets, and the lines that say so: what, where, and how to mend it.

const feature = `import { defineFeature, defineRoute, handle, json, z } from '#runtime'
import { parcels as table } from './table.ts'

const Parcel = z.object({ id: z.uuid() }).openapi('Parcel')

const getParcel = defineRoute({
  method: 'get',
  path: '/parcels/{id}',
  operationId: 'getParcel',
  summary: 'Show a parcel',
  security: 'public',
  request: { params: z.object({ id: z.uuid() }) },
  responses: { 200: json('The parcel', Parcel) },
})

/** Parcels. */
export const parcels = defineFeature({
  name: 'parcels',
  description: 'Parcels.',
  variables: { PARCELS_LIMIT: z.coerce.number().default(3) },
  routes: ({ database }) => [
    handle(getParcel, async (c) => {
      const [row] = await database.select().from(table)
      return c.json({ id: row?.id ?? '' }, 200)
    }),
  ],
})
`
const files = {
  'src/parcels/parcels.ts': feature,
  'src/parcels/table.ts':
    "import { pgTable, uuid } from 'drizzle-orm/pg-core'\n\nexport const parcels = pgTable('parcels', { id: uuid('id').primaryKey() })\n",
  'src/parcels/tasks.ts': `import { defineTask, z } from '#runtime'

export const sendParcel = defineTask({ name: 'parcels.send', payload: z.object({}), async run() {} })
`,
}

let copy: WorkingCopy
const failure = (command: string) =>
  copy.run(command, { TEST_DATABASE_URL: inject('serverUrl') }).then(
    (said) => `It passed: ${said}`,
    (error: Error) => error.message,
  )

beforeAll(async () => {
  copy = await workingCopy()
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(copy.folder, dirname(path)), { recursive: true })
    await writeFile(join(copy.folder, path), text)
  }
  await copy.edit('src/app.ts', (text) =>
    text
      .replace(/^import .*orders\.ts'$/m, "$&\nimport { parcels } from './parcels/parcels.ts'")
      .replace('= [orders', '= [orders, parcels'),
  )
})

test('a JSON body without an example', async () => {
  expect(await copy.run('npm run --silent openapi')).toMatch(
    /^GET \/parcels\/\{id\}: the response 200 has no example\. Write \.openapi\('Name', \{ example: \{ … \} \}\)/m,
  )
})

describe('the rules name', async () => {
  let said = ''
  beforeAll(async () => {
    const rules = ['background-work', 'env-example', 'migrations'].map((name) => `test/rules/${name}.test.ts`)
    said = await failure(`npx vitest run --project statements ${rules.join(' ')}`)
  })

  test('a task that no feature lists', () => {
    expect(said).toMatch(
      /what is not listed never runs\.\n {2}src\/parcels\/tasks\.ts: sendParcel\nMend: add it to `tasks`/,
    )
  })

  test('a variable that .env.example does not show', () => {
    expect(said).toMatch(/\.env\.example: PARCELS_LIMIT is missing\nMend: add a comment .*`# NAME=`/)
  })

  test('a table without its migration', () => {
    expect(said).toMatch(
      /migrations\/features: CREATE TABLE "parcels"[\s\S]*\nMend: run `npm run migration -- --name what_it_does`/,
    )
  })
})

test('a route without security: for the compiler, and at the start', async () => {
  await copy.edit('src/parcels/parcels.ts', (text) => text.replace("  security: 'public',\n", ''))
  expect(await failure('npm run --silent check')).toMatch(
    /^src\/parcels\/parcels\.ts\(6,\d+\): error \w+: Property 'security' is missing/m,
  )
  expect(await failure('npm run --silent openapi')).toMatch(
    /^GET \/parcels\/\{id\} does not declare its security\. Give it security: \['a:scope'\]/m,
  )
  await copy.edit('src/parcels/parcels.ts', (text) =>
    text.replace('  request:', "  security: 'public',\n  request:"),
  )
})

test('code that is not formatted', async () => {
  await appendFile(join(copy.folder, 'src/parcels/parcels.ts'), 'export const  a = "b";\n')
  const said = stripVTControlCharacters(await failure('npm run --silent check'))
  expect(said).toMatch(/^src\/parcels\/parcels\.ts format/m)
  expect(said).toMatch(/^Mend: npm run format corrects formatting/m)
  await copy.run('npm run --silent format')
  expect(await failure('npx biome ci')).toMatch(/^It passed/)
})
