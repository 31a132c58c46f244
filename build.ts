import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bundle } from './bundle.ts'
import metadata from './package.json' with { type: 'json' }
import { placeholders } from './placeholders.ts'
import { copyPackages } from './unbundled.ts'

// Makes what the image runs:
// - dist/service.js, which dist/main.js starts, and dist/migrate.js
// - dist/service.cache: the code that V8 has compiled from the service, so that an instance starts without compiling
// - dist/node_modules: the packages that stay outside the bundle
// Then runs it in a folder that holds what the image holds. So what needs this folder's node_modules fails here.

const dist = fileURLToPath(new URL('./dist', import.meta.url))
const { unbundled } = metadata as { unbundled: string[] }

try {
  await rm(dist, { recursive: true, force: true })
  await Promise.all([
    bundle({ service: 'src/main.ts' }, dist, unbundled),
    bundle({ migrate: 'src/migrate.ts' }, dist, unbundled),
    copyPackages(unbundled, '.', dist),
  ])
  await Promise.all([escapeToAscii(`${dist}/service.js`), escapeToAscii(`${dist}/migrate.js`)])
  await copyFile(new URL('./start.cjs', import.meta.url), `${dist}/main.js`)
  await writeFile(`${dist}/package.json`, '{ "type": "commonjs" }\n')
  await tryAsImage()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/** Runs both bundles in the layout of the image, and keeps the code that V8 compiles meanwhile. */
async function tryAsImage(): Promise<void> {
  const image = await mkdtemp(join(tmpdir(), 'image-'))
  try {
    for (const folder of ['migrations', 'openapi', 'dist'])
      await cp(folder, join(image, folder), { recursive: true })
    await fillCache(image)
    await loadMigrate(image)
    await copyFile(join(image, 'dist/service.cache'), `${dist}/service.cache`)
  } finally {
    await rm(image, { recursive: true, force: true })
  }
}

/** One character beyond Latin-1 makes V8 keep and scan two bytes for each character of the file. */
async function escapeToAscii(file: string): Promise<void> {
  const code = await readFile(file, 'utf8')
  const unit = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  await writeFile(file, code.replaceAll(/[^\0-\x7f]/g, unit))
}

/**
 * Starts the bundle once, sends it a request, and stops it: V8 keeps the code of all functions that ran. It starts with
 * the flags of `npm start`, because V8 rejects code that was compiled under other flags (except those of memory).
 */
async function fillCache(folder: string): Promise<void> {
  const record = `const script = require('./dist/main.js')
    process.on('exit', () => require('fs').writeFileSync('dist/service.cache', script.createCachedData()))`
  const flags = metadata.scripts.start.split(' ').slice(1, -1)
  const child = spawn(process.execPath, [...flags, '-e', record], {
    cwd: folder,
    env: { ...placeholders, PORT: '0', LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    const port = /Listening on port (\d+)/.exec(line)?.[1]
    if (!port) continue
    await fetch(`http://127.0.0.1:${port}/ping`)
    child.kill('SIGTERM')
  }
  const [status] = await exit
  if (status !== 0)
    throw new Error(
      `${lines.join('\n')}\nThe bundle does not start and stop as the image would: status ${status}. A variable without a default needs a value in placeholders.ts.`,
    )
}

/** Runs the migrations' bundle without a database. If it says that it needs one, it has loaded. */
async function loadMigrate(folder: string): Promise<void> {
  const run = promisify(execFile)(process.execPath, ['dist/migrate.js'], { cwd: folder, env: {} })
  const { stdout, stderr } = await run.catch((failed: { stdout: string; stderr: string }) => failed)
  if (!stdout.includes('DATABASE_URL')) throw new Error(`${stdout}${stderr}\ndist/migrate.js does not load.`)
}
