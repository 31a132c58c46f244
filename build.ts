import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Plugin, rolldown } from 'rolldown'

// Makes the production bundle: dist/main.js and dist/migrate.js, and dist/cache/, the code that V8 compiled from
// it, so that an instance starts without compiling. CommonJS, since importing `node:http` as a module has Node
// look at each of its exports, which loads more than a service needs.

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

/** Google's client reads JSON files that lie beside its sources, where the bundle has none. */
const inlineJson: Plugin = {
  name: 'inline-json',
  transform: {
    filter: { id: /@google-cloud[\\/]tasks[\\/].*_client\.js$/ },
    handler(code, id) {
      const read = (names: string[]) => JSON.parse(readFileSync(join(dirname(id), ...names), 'utf8'))
      const inlined = code.replaceAll(/getJSON\(path\.join\(dirname, (.+?)\)\)/g, (_call, parts: string) => {
        const names = [...parts.matchAll(/'(.+?)'/g)].map(([, name = '']) => name)
        return `(${JSON.stringify(read(names))})`
      })
      return { code: inlined, map: null } // all lines stay where they were
    },
  },
}

await rm(dist, { recursive: true, force: true })
await Promise.all([bundle('service', 'src/main.ts'), bundle('migrate', 'src/migrate.ts')])
await writeFile(`${dist}/main.js`, main)
await writeFile(`${dist}/package.json`, '{ "type": "commonjs" }\n')
await fillCache()

async function bundle(name: string, source: string): Promise<void> {
  const input = { [name]: source }
  const build = await rolldown({ input, platform: 'node', external: ['pg-native'], plugins: [inlineJson] })
  await build.write({
    dir: dist,
    format: 'cjs',
    minify: { compress: true, codegen: true, mangle: false }, // stack traces keep their names
    sourcemap: true,
    chunkFileNames: `${name}-[hash].js`,
  })
  await build.close()
  await escapeToAscii(`${dist}/${name}.js`)
}

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
