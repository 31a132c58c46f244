import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import metadata from '../../package.json' with { type: 'json' }
import { build, builtFolder } from '../harness/build.ts'
import { type Contestant, contestants, folders, labelOf } from '../harness/contestants.ts'
import { bytesOf, packagesOf } from '../harness/packages.ts'
import { progress } from '../harness/progress.ts'
import { requests } from '../harness/requests.ts'
import type { Metric, Row } from '../harness/result.ts'
import { start } from '../harness/run.ts'
import type { Bench, Section } from '../harness/section.ts'
import type { HttpRequest } from '../harness/send.ts'

const { service, unbundled, handWritten, fastify, express, nest, naiveHono } = contestants

/** The packages that each contestant imports. */
const imports = new Map<Contestant, readonly string[]>([
  [service, Object.keys(metadata.dependencies)],
  [unbundled, Object.keys(metadata.dependencies)],
  [handWritten, ['jose', 'pg']],
  [fastify, ['fastify', '@fastify/compress', '@fastify/jwt', 'pg']],
  [express, ['express', 'compression', 'helmet', 'jose', 'pg', 'pino-http', 'zod']],
  [
    nest,
    [
      ...['@nestjs/common', '@nestjs/core', '@nestjs/jwt', '@nestjs/platform-express', 'class-transformer'],
      ...[
        'class-validator',
        'compression',
        'helmet',
        'nestjs-pino',
        'pg',
        'pino-http',
        'reflect-metadata',
        'rxjs',
      ],
    ],
  ],
  [naiveHono, ['@hono/node-server', '@hono/zod-openapi', 'drizzle-orm', 'hono', 'pg', 'zod']],
])

/** What is loaded until the first response, and what an image holds beside Node. */
export const size: Section = {
  name: 'size',
  title: 'Size: code loaded until the first response, and what an image holds beside Node',
  async run(bench) {
    const list = [...imports.keys()]
    await build(list)
    const rows: Row[] = []
    for (const contestant of list) {
      progress(`size: ${labelOf(contestant)}`)
      const loaded = await loadedBy(bench, contestant)
      const packages = packagesOf(imports.get(contestant) ?? [])
      const own = contestant.form === 'service' ? imageOf() : bytesOfCode(contestant) + packages.bytes
      rows.push({
        work: 'size',
        contestant: labelOf(contestant),
        metrics: [
          metric('loaded at start', 'kB', loaded.bytes / 1000),
          metric('files loaded', '', loaded.files),
          metric('in the image', 'MB', own / 1e6),
          metric('packages', '', packages.count),
        ],
      })
    }
    const cache = statSync(join(folders.repository, 'dist/service.cache')).size
    const notes = [
      `The service’s image has no node_modules: its packages are in the bundle. It also reads ${Math.round(cache / 1000)} kB of code that V8 has compiled in the build. The others’ images hold their packages.`,
    ]
    return { section: 'size', notes, rows }
  },
}

async function loadedBy(bench: Bench, contestant: Contestant): Promise<{ files: number; bytes: number }> {
  const file = join(folders.build, `${labelOf(contestant)}-loaded.json`)
  rmSync(file, { force: true })
  const preload = fileURLToPath(new URL('../harness/loaded.cjs', import.meta.url))
  const environment = { ...bench.environment, NODE_OPTIONS: `--require ${preload}`, BENCH_LOADED: file }
  const running = await start(contestant, environment, { first: requests.get[0] as HttpRequest, status: 200 })
  process.kill(running.pid, 'SIGTERM')
  for (let waited = 0; !existsSync(file) && waited < 10_000; waited += 50) await pause(50)
  await running.stop()
  const loaded = JSON.parse(readFileSync(file, 'utf8'))
  // dist/main.js reads this file itself
  const read = contestant.form === 'service' ? statSync(join(folders.repository, 'dist/service.js')).size : 0
  return { files: loaded.files + (read > 0 ? 1 : 0), bytes: loaded.bytes + read }
}

/** The folders that the image has, without source maps. */
function imageOf(): number {
  return ['dist', 'migrations', 'openapi'].reduce(
    (sum, folder) => sum + bytesOf(join(folders.repository, folder), /\.map$/),
    0,
  )
}

function bytesOfCode(contestant: Contestant): number {
  return contestant.form === 'sources'
    ? bytesOf(join(folders.repository, 'src'))
    : bytesOf(builtFolder(contestant))
}

function metric(name: string, unit: string, value: number): Metric {
  return { name, unit, better: 'lower', values: [value] }
}
