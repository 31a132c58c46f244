import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.ts'

// Makes the production bundle: dist/main.js and dist/migrate.js, and dist/cache/, the code that V8 compiled from
// it, so that an instance starts without compiling.

const dist = fileURLToPath(new URL('./dist', import.meta.url))

/** Nothing may be loaded before the cache is on. */
const main = `const { join } = require('node:path')
require('node:module').enableCompileCache({ directory: join(__dirname, 'cache'), portable: true })
require('./service.js')
`

/** What it does not start without. */
const required = {
  TASKS_QUEUE: 'projects/build/locations/none/queues/none',
  TASKS_INVOKER: 'nobody@example.com',
  TASKS_URL: 'http://localhost',
}

await rm(dist, { recursive: true, force: true })
await Promise.all([bundle({ service: 'src/main.ts' }, dist), bundle({ migrate: 'src/migrate.ts' }, dist)])
await Promise.all([escapeToAscii(`${dist}/service.js`), escapeToAscii(`${dist}/migrate.js`)])
await writeFile(`${dist}/main.js`, main)
await writeFile(`${dist}/package.json`, '{ "type": "commonjs" }\n')
await fillCache()

/** A single character beyond Latin-1 has V8 keep, and scan, two bytes for each one of the file. */
async function escapeToAscii(file: string): Promise<void> {
  const code = await readFile(file, 'utf8')
  const unit = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  await writeFile(file, code.replaceAll(/[^\0-\x7f]/g, unit))
}

/** Starts the bundle once, asks it something, and stops it: Node writes the cache when it exits. */
async function fillCache(): Promise<void> {
  const service = spawn(process.execPath, [`${dist}/main.js`], {
    env: { ...required, PORT: '0', LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(service, 'exit')
  for await (const line of createInterface({ input: service.stdout })) {
    const port = /Listening on port (\d+)/.exec(line)?.[1]
    if (!port) continue
    await fetch(`http://127.0.0.1:${port}/ping`)
    service.kill('SIGTERM')
    break
  }
  const [status] = await exit
  if (status !== 0) throw new Error(`The bundle does not start and stop: exit ${status}`)
}
