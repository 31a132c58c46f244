import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answers } from '#dev/answers.ts'
import { endChild, startChild } from '#dev/child.ts'
import { createEmulator } from '#dev/cloud-tasks/emulator.ts'
import { freePort } from '#dev/ports.ts'
import { startPostgres } from '#dev/postgres.ts'
import { migrate } from '#src/runtime/database/migrate.ts'
import { emulated, testTasks } from '#test/support/task-variables.ts'
import { testAuth } from '#test/support/tokens.ts'
import { givePackages } from './packages.ts'
import { beforeNewestMigration, commitOf, describe, extract } from './revision.ts'
import { Refusal, run } from './run.ts'

// `npm run test:expand -- REF`: the bundle of REF passes REF's own acceptance tests on the schema that the migrations
// here make, as it must while a deploy goes on, and after a rollback. Without REF it is the last revision before the
// newest migration. The status is that of the tests.

/** What the revision's scripts get of the environment: nothing that could lead them elsewhere. */
const inherited = Object.fromEntries(
  ['PATH', 'HOME', 'TMPDIR', 'CI', 'NO_COLOR'].map((name) => [name, process.env[name]]),
)
const say = (line: string) => process.stdout.write(`${line}\n`)

const ending = new AbortController()
const { signal } = ending
const cleanups: (() => unknown)[] = []

/** Runs a script of the revision's `package.json` in its folder. Returns its status. */
const runScript = (script: string[], folder: string, environment: Record<string, string> = {}) =>
  run([process.execPath, '--run', ...script], { cwd: folder, env: { ...inherited, ...environment }, signal })

/** Builds the bundle of a commit in a temporary folder, which it returns. */
async function build(commit: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'runway-expand-'))
  cleanups.push(() => rm(folder, { recursive: true, force: true }))
  await extract(commit, folder)
  if (!existsSync(join(folder, 'test/acceptance/run.ts')))
    throw new Refusal('It comes before the acceptance tests: it has none to pass.')
  await givePackages(folder, signal)
  if ((await runScript(['build'], folder)) !== 0) throw new Refusal('It cannot be built: see above.')
  return folder
}

/** Makes a database with the migrations that are here. Returns its URL. */
async function makeDatabase(): Promise<string> {
  const { url, stop } = await startPostgres()
  cleanups.push(stop)
  await migrate(url, 'migrations')
  return url
}

/** Starts the bundle on the database, called back by an emulator of Cloud Tasks. Returns its URL. */
async function start(folder: string, databaseUrl: string): Promise<string> {
  const emulator = await createEmulator()
  cleanups.push(emulator.close)
  emulator.createQueue(testTasks.TASKS_QUEUE, { retryConfig: { minBackoff: '1s', maxAttempts: -1 } })
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const service = startChild(join(folder, 'dist/main.js'), {
    ...emulated(emulator, url),
    ...{ PORT: `${port}`, DATABASE_URL: databaseUrl, AUTH_SECRET: testAuth.secret, LOG_LEVEL: 'error' },
  })
  cleanups.push(() => endChild(service))
  const ended = new AbortController()
  service.once('exit', () => ended.abort())
  await answers(`${url}/ping`, AbortSignal.any([signal, ended.signal])).catch(() => {
    throw new Refusal('Its bundle does not start here: see above.')
  })
  return url
}

/** What to test: `undefined`, which it explains, if no REF is given and nothing came before. */
async function choose(ref: string | undefined): Promise<string | undefined> {
  if (ref) return commitOf(ref)
  return beforeNewestMigration().catch((error) => {
    if (!(error instanceof Refusal)) throw error
    say(`No earlier revision is tested. ${error.message}`)
    return undefined
  })
}

async function main([ref]: readonly string[]): Promise<number> {
  const commit = await choose(ref)
  if (!commit) return 0
  say(`The acceptance tests of ${await describe(commit)}, with its bundle, on the schema that is here`)
  const folder = await build(commit)
  const url = await start(folder, await makeDatabase())
  const status = await runScript(['test:acceptance', '--', url], folder, { AUTH_SECRET: testAuth.secret })
  if (status !== 0)
    say('The migrations break a revision that may still serve: expand first, contract in a later deploy.')
  return status
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => ending.abort())
try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup()
}
