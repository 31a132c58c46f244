import { mkdir, rename, writeFile } from 'node:fs/promises'
import { ConfigError, createDatabase, createLogger, parseConfig, variablesOf } from '#runtime'
import { createApp, features } from '#src/app.ts'
import { placeholders } from '../placeholders.ts'

// `npm run openapi`: writes the contract that the service shows at /openapi.json, and that of Google's calls. Where
// either cannot be created, it exits with 1 and changes neither file.

const config = configuration()
const lines: string[] = []
const output = { write: (line: string) => void lines.push(line) }
const log = createLogger({ level: 'error', service: 'openapi', output })
const database = createDatabase({ url: undefined, pool: 1, timeoutSeconds: 1, name: 'openapi', log })
const app = createApp({ config, database, log })
const response = await app.request('/openapi.json')
if (!response.ok) throw new Error(`/openapi.json responded with ${response.status}: ${lines.join('')}`)
const contract: unknown = await response.json()
const internal = await app.internalContract()

await mkdir('openapi', { recursive: true })
await write('openapi/openapi.json', contract)
await write('openapi/internal.json', internal)

function configuration() {
  try {
    return parseConfig(placeholders, variablesOf(features))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(`${error.message}\nGive it a value in placeholders.ts.`)
    process.exit(1)
  }
}

/** Replaces the file in one step, so that nobody reads half of it. */
async function write(file: string, document: unknown): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(document, null, 2)}\n`)
  await rename(`${file}.new`, file)
  console.log(`${file} is written`)
}
