import { parseArgs } from 'node:util'
import { checkMigrationName, writeMigration } from './new/migration.ts'

// `npm run migration -- --name add_due_date`: writes the migration that makes what the tables are. With --custom it writes
// an empty one, for SQL of one's own. `npm run migration:runtime` does the same for the runtime's tables.

const usage = 'Usage: npm run migration -- --name add_due_date [--custom]'

try {
  const { values } = parseArgs({
    options: { name: { type: 'string' }, custom: { type: 'boolean' }, runtime: { type: 'boolean' } },
  })
  const command = values.runtime ? 'npm run migration:runtime -- --name ' : 'npm run migration -- --name '
  const name = checkMigrationName(values.name, command)
  const config = values.runtime ? 'drizzle.runtime.config.ts' : 'drizzle.config.ts'
  process.exitCode = writeMigration(name, { config, isCustom: values.custom ?? false })
} catch (error) {
  if (!(error instanceof TypeError)) throw error
  console.error(`${error.message}\n${usage}`)
  process.exitCode = 2
}
