import { mkdir, writeFile } from 'node:fs/promises'
import { createApp, features } from '#src/app.ts'
import { parseConfig } from '#src/runtime/config/config.ts'
import { createDatabase } from '#src/runtime/database/database.ts'
import { createLogger } from '#src/runtime/log/logger.ts'
import { variablesOf } from '#src/runtime/openapi/feature.ts'
import { placeholders } from '../placeholders.ts'

// `npm run openapi`: writes the contract that the service shows at /openapi.json, and that of Google's calls.

const config = parseConfig(placeholders, variablesOf(features))
const log = createLogger({ level: 'silent', service: 'openapi', output: { write: () => {} } })
const database = createDatabase({ url: undefined, pool: 1, timeout: 1, name: 'openapi', log })
const app = createApp({ config, database, log })
const contract: unknown = await (await app.request('/openapi.json')).json()

await mkdir('openapi', { recursive: true })
await write('openapi/openapi.json', contract)
await write('openapi/internal.json', await app.internalContract())

async function write(file: string, document: unknown): Promise<void> {
  await writeFile(file, `${JSON.stringify(document, null, 2)}\n`)
  console.log(`${file} is written`)
}
