import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

// Makes the production bundle: dist/main.js and dist/migrate.js, one file each and what they share, and
// dist/cache/, the code that V8 compiled from them, so that an instance starts without compiling.

const dist = fileURLToPath(new URL('./dist', import.meta.url))

/** Nothing may be imported before the cache is on. */
const main = `import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'
enableCompileCache({ directory: fileURLToPath(new URL('./cache', import.meta.url)), portable: true })
await import('./service.js')
`

await rm(dist, { recursive: true, force: true })
await bundle()
await writeFile(`${dist}/main.js`, main)
await fillCache()

async function bundle(): Promise<void> {
  const build = await rolldown({
    input: { service: 'src/main.ts', migrate: 'src/migrate.ts' },
    platform: 'node',
    external: ['pg-native'],
  })
  await build.write({
    dir: dist,
    format: 'esm',
    minify: true,
    sourcemap: true,
    chunkFileNames: 'shared-[hash].js',
  })
  await build.close()
}

/** Starts the bundle once, asks it something, and stops it: Node writes the cache when it exits. */
async function fillCache(): Promise<void> {
  const service = spawn(process.execPath, [`${dist}/main.js`], {
    env: { PORT: '0', LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: service.stdout })) {
    const port = /Listening on port (\d+)/.exec(line)?.[1]
    if (!port) continue
    await fetch(`http://127.0.0.1:${port}/ping`)
    service.kill('SIGTERM')
    break
  }
  const [status] = await once(service, 'exit')
  if (status !== 0) throw new Error(`The bundle does not start and stop: exit ${status}`)
}
