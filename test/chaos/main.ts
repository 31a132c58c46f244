import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '#dev/postgres/start.ts'
import { migrate } from '#runtime'
import { bundle } from '../../bundle.ts'
import { chaos } from './chaos.ts'

// `npm run chaos -- --parcels 10000 --kills 200 --seed 7`: the chaos test at any size, on a database of its own. The
// status is 0 where nothing was lost, done twice or stuck.

const number = { type: 'string' } as const
const { values } = parseArgs({
  options: { parcels: number, journeys: number, kills: number, seed: number, clients: number },
})
const parcels = Number(values.parcels ?? 10_000)
const journeys = Number(values.journeys ?? Math.ceil(parcels / 50))
const kills = Number(values.kills ?? 200)
const clients = Number(values.clients ?? 16)
const seed = Number(values.seed ?? randomInt(1_000_000))
/** Milliseconds: ten minutes, and what each parcel and each kill may take on a machine at load 25. It catches a hang. */
const patience = 600_000 + 250 * parcels + 5_000 * journeys + 15_000 * kills

const say = (line: string) => process.stdout.write(`${line}\n`)

const postgres = await startPostgres()
const folder = await mkdtemp(join(tmpdir(), 'chaos-'))
try {
  say(`seed ${seed}: ${parcels} parcels, ${journeys} journeys, ${kills} kills`)
  await migrate(postgres.url, 'migrations')
  await bundle({ parcels: 'test/chaos/parcels-service.ts' }, folder)
  const options = {
    bundle: join(folder, 'parcels.js'),
    databaseUrl: postgres.url,
    seed,
    parcels,
    journeys,
    kills,
    clients,
    patience,
  }
  const { violations, summary } = await chaos(options)
  for (const [name, value] of Object.entries(summary)) say(`${name.padEnd(16)}${value}`)
  for (const violation of violations.slice(0, 10)) say(violation)
  say(`${violations.length} violations`)
  if (violations.length > 0) process.exitCode = 1
} finally {
  await postgres.stop()
  await rm(folder, { recursive: true })
}
