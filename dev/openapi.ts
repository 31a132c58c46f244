import { mkdir, writeFile } from 'node:fs/promises'
import { createApp } from '#src/app.ts'
import { parseConfig } from '#src/runtime/config/config.ts'
import { createDatabase } from '#src/runtime/database/database.ts'
import { createLogger } from '#src/runtime/log/logger.ts'

// `npm run openapi`: writes the contract that the service shows at /openapi.json.

const config = parseConfig({})
const log = createLogger({ level: 'silent', service: 'openapi', output: { write: () => {} } })
const database = createDatabase({ url: undefined, pool: 1, timeout: 1, name: 'openapi', log })
const response = await createApp({ config, database, log }).request('/openapi.json')

await mkdir('openapi', { recursive: true })
await writeFile('openapi/openapi.json', `${JSON.stringify(await response.json(), null, 2)}\n`)
console.log('openapi/openapi.json is written')
