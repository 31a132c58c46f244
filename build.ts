import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.ts'
import metadata from './package.json' with { type: 'json' }

// Makes the production bundle: dist/service.js, which dist/main.js starts, dist/migrate.js, and dist/service.cache,
// the code that V8 compiled from the service, so that an instance starts without compiling.

const dist = fileURLToPath(new URL('./dist', import.meta.url))

/** What it does not start without. */
const required = {
  TASKS_QUEUE: 'projects/build/locations/none/queues/none',
  TASKS_INVOKER: 'nobody@example.com',
  TASKS_URL: 'http://localhost',
}

await rm(dist, { recursive: true, force: true })
await Promise.all([bundle({ service: 'src/main.ts' }, dist), bundle({ migrate: 'src/migrate.ts' }, dist)])
await Promise.all([escapeToAscii(`${dist}/service.js`), escapeToAscii(`${dist}/migrate.js`)])
await copyFile(new URL('./start.cjs', import.meta.url), `${dist}/main.js`)
await writeFile(`${dist}/package.json`, '{ "type": "commonjs" }\n')
await fillCache()

/** A single character beyond Latin-1 has V8 keep, and scan, two bytes for each one of the file. */
async function escapeToAscii(file: string): Promise<void> {
  const code = await readFile(file, 'utf8')
  const unit = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  await writeFile(file, code.replaceAll(/[^\0-\x7f]/g, unit))
}

/**
 * Starts the bundle once, asks it something, and stops it: V8 keeps the code of all functions that ran. With the flags
 * of `npm start`, since V8 takes no code that was compiled under others (of those for memory it does).
 */
async function fillCache(): Promise<void> {
  const record = `const script = require('./main.js')
    process.on('exit', () => require('fs').writeFileSync('service.cache', script.createCachedData()))`
  const flags = metadata.scripts.start.split(' ').slice(1, -1)
  const service = spawn(process.execPath, [...flags, '-e', record], {
    cwd: dist,
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
