import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { bundle as bundleService } from '../../bundle.ts'
import metadata from '../../package.json' with { type: 'json' }
import { type Contestant, folders, labelOf } from './contestants.ts'
import { nodeFlags } from './flags.ts'

const source = (name: string) => join(folders.repository, 'bench/contestants', name, 'main.ts')

/** Where the contestant's built code is. */
export function builtFolder(contestant: Contestant): string {
  return join(folders.build, labelOf(contestant))
}

/**
 * Builds contestants: the service by `npm run build`, the others by the same bundler. An installed one keeps its packages
 * outside. A bundled one is one file, started by the service's own `start.cjs`.
 *
 * @throws {Error} with what the build printed
 */
export async function build(list: readonly Contestant[]): Promise<void> {
  if (list.some(({ form }) => form === 'service')) {
    const { status, stderr } = spawnSync(process.execPath, ['build.ts'], {
      cwd: folders.repository,
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`The service was not built:\n${stderr}`)
  }
  for (const contestant of list) {
    if (contestant.form === 'installed') await compile(contestant)
    if (contestant.form === 'bundled') await bundle(contestant)
    if (contestant.form === 'extended') await bundleExtended(contestant)
  }
}

async function compile(contestant: Contestant): Promise<void> {
  const dir = freshFolder(contestant)
  const made = await rolldown({
    input: { main: source(contestant.name) },
    platform: 'node',
    // the helpers for decorators are the bundler's
    external: (id) => !/^[./]|^@oxc-project/.test(id),
  })
  await made.write({ dir, format: 'esm', entryFileNames: '[name].mjs' })
  await made.close()
}

/** By the service's own build, but without compiled code: it is not started cold. */
async function bundleExtended(contestant: Contestant): Promise<void> {
  const dir = freshFolder(contestant)
  const { unbundled } = metadata as { unbundled: string[] }
  await bundleService({ service: source(contestant.name) }, dir, unbundled)
  writeFileSync(join(dir, 'package.json'), '{ "type": "commonjs" }\n')
}

async function bundle(contestant: Contestant): Promise<void> {
  const dir = freshFolder(contestant)
  const made = await rolldown({
    input: { service: source(contestant.name) },
    platform: 'node',
    external: ['pg-native'],
    resolve: { mainFields: ['module', 'main'] },
    // packages that look for files beside their own do so for workers, which are not used here
    onLog: (level, log, handle) => level !== 'warn' && handle(level, log),
  })
  await made.write({ dir, format: 'cjs', minify: { compress: true, codegen: true, mangle: false } })
  await made.close()
  const file = join(dir, 'service.js')
  const code = readFileSync(file, 'utf8')
  const unit = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  writeFileSync(file, code.replaceAll(/[^\0-\x7f]/g, unit))
  writeFileSync(join(dir, 'package.json'), '{ "type": "commonjs" }\n')
  copyFileSync(join(folders.repository, 'start.cjs'), join(dir, 'main.js'))
  await keepCompiledCode(dir)
}

/** Starts the bundle once, lets it respond once, and keeps what V8 has compiled: as the service's build does. */
async function keepCompiledCode(dir: string): Promise<void> {
  const port = String(20_000 + Math.floor(Math.random() * 10_000))
  const record = `const script = require('./main.js')
    process.on('exit', () => require('fs').writeFileSync('service.cache', script.createCachedData()))`
  const child = spawn(process.execPath, [...nodeFlags(), '-e', record], {
    cwd: dir,
    env: { PORT: port, NODE_ENV: 'production', AUTH_SECRET: 'none' },
    stdio: 'ignore',
  })
  const exit = once(child, 'exit')
  for (let attempt = 1; ; attempt++) {
    if (child.exitCode !== null) throw new Error(`${dir} did not start`)
    const response = await fetch(`http://127.0.0.1:${port}/orders/none`).catch(() => undefined)
    if (response) break
    if (attempt === 500) throw new Error(`${dir} did not respond`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  child.kill('SIGTERM')
  const [status] = await exit
  if (status !== 0) throw new Error(`${dir} ended with ${status}`)
}

function freshFolder(contestant: Contestant): string {
  const dir = builtFolder(contestant)
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  return dir
}
