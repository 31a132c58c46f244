import { parseArgs } from 'node:util'
import { newFeature } from './new/feature.ts'
import { checkMigrationName, writeMigration } from './new/migration.ts'
import { newWork } from './new/work.ts'

// `npm run new -- feature invoices`: writes what a person would write from the example.

const usage = `Usage: npm run new -- WHAT NAME

  feature invoices           a folder of src/: table, schemas, routes, a task, tests, and its migration
    --singular invoice       where English does not form the singular by rule
    --from pets.yaml         its routes and schemas from Swagger 2.0 or OpenAPI 3.0/3.1, with handlers that respond 501
  task invoices.remind       a task of the feature invoices, with a test
  schedule invoices.nightly  a schedule of the feature invoices, its task, and a test
  migration add_due_date     an empty migration, for SQL of your own. After a change of a table, write instead:
                             npm run migration -- --name add_due_date`

interface Options {
  readonly singular?: string | undefined
  readonly from?: string | undefined
}
type Maker = (name: string | undefined, options: Options) => string[] | Promise<string[]>

const makers: Readonly<Record<string, Maker>> = {
  feature: (name, { singular, from }) =>
    from === undefined ? newFeature(name, singular) : featureFrom(name, from),
  task: (name) => newWork('task', name),
  schedule: (name) => newWork('schedule', name),
  migration: newMigration,
}

async function featureFrom(name: string | undefined, file: string): Promise<string[]> {
  const { newFeatureFrom } = await import('./new/from/feature-from.ts') // half a second: not for the others
  return newFeatureFrom(name, file)
}

function newMigration(given: string | undefined): string[] {
  const name = checkMigrationName(given, 'npm run new -- migration ')
  if (writeMigration(name, { isCustom: true }) !== 0) throw new Error('The migration was not written.')
  return ['next     write its SQL, then npm run dev applies it']
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      singular: { type: 'string' },
      from: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const [what = '', name, more] = positionals
  const maker = makers[what]
  if (values.help) console.log(usage)
  else if (values.from !== undefined && (what !== 'feature' || values.singular !== undefined))
    throw new TypeError(`--from goes with a feature, and without --singular. ${usage}`)
  else if (!maker || more !== undefined)
    throw new TypeError(
      more === undefined ? `What is new? ${usage}` : `One name, not also '${more}'. ${usage}`,
    )
  else console.log((await maker(name, values)).join('\n'))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = error instanceof TypeError ? 2 : 1
}
