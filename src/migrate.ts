import { fileURLToPath } from 'node:url'
import { parseDatabaseUrl } from './runtime/config/config.ts'
import { migrate } from './runtime/database/migrate.ts'
import { createLogger } from './runtime/log/logger.ts'
import { standardOutput } from './runtime/log/output.ts'

const log = createLogger({ level: 'info', service: 'migrate', output: standardOutput() })

try {
  const url = parseDatabaseUrl(process.env)
  const count = await migrate(url, fileURLToPath(new URL('../migrations', import.meta.url)))
  log.info({ count }, count === 0 ? 'No migration was missing' : `${count} migrations applied`)
} catch (err) {
  log.fatal({ err }, 'The migrations were not applied')
  process.exitCode = 1
}
