import { mkdir, rename, writeFile } from 'node:fs/promises'
import { ConfigError, createDatabase, createLogger, parseConfig, variablesOf } from '#runtime'
import { createApp, features } from '#src/app.ts'
import { placeholders } from '../placeholders.ts'
import { missingExamples } from './caller/missing-examples.ts'
import { generateClient, ownSender } from './client/generate.ts'

// `npm run openapi`: writes the contract that the service shows at /openapi.json, that of Google's calls, and a client of
// the first. Where one of them cannot be created, it exits with 1 and changes no file.

const config = configuration()
const lines: string[] = []
const output = { write: (line: string) => void lines.push(line) }
const log = createLogger({ level: 'error', service: 'openapi', output })
const database = createDatabase({ url: undefined, pool: 1, timeoutSeconds: 1, name: 'openapi', log })
const app = service()
const response = await app.request('/openapi.json')
if (!response.ok) throw new Error(`/openapi.json responded with ${response.status}: ${lines.join('')}`)
const contract = (await response.json()) as Record<string, unknown>
const internal = await app.internalContract()
const client = await generateClient(contract, await ownSender(), 'npm run openapi')

await mkdir('openapi', { recursive: true })
await write('openapi/openapi.json', `${JSON.stringify(contract, null, 2)}\n`)
await write('openapi/internal.json', `${JSON.stringify(internal, null, 2)}\n`)
await write('openapi/client.ts', client)
for (const line of missingExamples(contract)) console.log(line)

function configuration() {
  try {
    return parseConfig(placeholders, variablesOf(features))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(`${error.message}\nGive it a value in placeholders.ts.`)
    process.exit(1)
  }
}

function service() {
  try {
    return createApp({ config, database, log })
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  }
}

/** Replaces the file in one step, so that nobody reads half of it. */
async function write(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text)
  await rename(`${file}.new`, file)
  console.log(`${file} is written`)
}
