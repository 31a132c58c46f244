import { parseArgs } from 'node:util'
import { newFeature } from './new/feature.ts'
import { checkMigrationName, writeMigration } from './new/migration.ts'
import { newWork } from './new/work.ts'

// `npm run new -- feature invoices`: writes what a person would write from the example.

const usage = `Usage: npm run new -- WHAT NAME

  feature invoices           a folder of src/: table, schemas, routes, a task, tests, and its migration
    --singular invoice       where English does not form the singular by rule
  task invoices.remind       a task of the feature invoices, with a test
  schedule invoices.nightly  a schedule of the feature invoices, its task, and a test
  migration add_due_date     an empty migration, for SQL of your own. After a change of a table, write instead:
                             npm run migration -- --name add_due_date`

const makers: Readonly<Record<string, (name: string | undefined, singular: string | undefined) => string[]>> =
  {
    feature: newFeature,
    task: (name) => newWork('task', name),
    schedule: (name) => newWork('schedule', name),
    migration: newMigration,
  }

function newMigration(given: string | undefined): string[] {
  const name = checkMigrationName(given, 'npm run new -- migration ')
  if (writeMigration(name, { isCustom: true }) !== 0) throw new Error('The migration was not written.')
  return ['next     write its SQL, then npm run dev applies it']
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { singular: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  })
  const [what = '', name, more] = positionals
  const maker = makers[what]
  if (values.help) console.log(usage)
  else if (!maker || more !== undefined)
    throw new TypeError(
      more === undefined ? `What is new? ${usage}` : `One name, not also '${more}'. ${usage}`,
    )
  else console.log(maker(name, values.singular).join('\n'))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = error instanceof TypeError ? 2 : 1
}
