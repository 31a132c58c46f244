import { fileURLToPath } from 'node:url'
import { captureConsole, createLogger, migrate, parseDatabase, standardOutput } from '#runtime'

const log = createLogger({ level: 'info', service: 'migrate', output: standardOutput() })
captureConsole(log)

const folder = fileURLToPath(new URL('../migrations', import.meta.url))

async function main(): Promise<void> {
  const { url, metadataHost } = parseDatabase(process.env)
  const applied = await migrate(url, folder, metadataHost)
  const count = applied.runtime + applied.features
  log.info(
    { count, ...applied },
    count === 0
      ? 'The database has all migrations'
      : `${count} ${count === 1 ? 'migration' : 'migrations'} applied`,
  )
}

main().catch((err) => {
  log.fatal({ err }, 'The migrations were not applied')
  process.exitCode = 1
})
