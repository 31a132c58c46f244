import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEmulator } from '#dev/cloud-tasks/emulator.ts'
import { freePort } from '#dev/machine/ports.ts'
import { waitForResponse } from '#dev/machine/wait-for-response.ts'
import { startPostgres } from '#dev/postgres/start.ts'
import { endChild, startChild } from '#dev/service/child.ts'
import { migrate } from '#runtime'
import { emulated, testTasks } from '#test/support/task-variables.ts'
import { testAuth } from '#test/support/tokens.ts'
import { givePackages } from './packages.ts'
import { extract } from './revision.ts'
import { Refusal, run } from './run.ts'

/** What the scripts of a revision get of the environment: nothing that could lead them elsewhere. */
const inherited = Object.fromEntries(
  ['PATH', 'HOME', 'TMPDIR', 'CI', 'NO_COLOR'].map((name) => [name, process.env[name]]),
)

/**
 * Runs the acceptance tests of a commit against its bundle, on a database that the migrations here have made.
 *
 * @param signal ends it; everything is cleaned up all the same
 * @returns the status of the tests
 * @throws {Refusal} if it does not come to that: why
 */
export async function accept(commit: string, signal: AbortSignal): Promise<number> {
  const cleanups: (() => unknown)[] = []

  async function build(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'runway-expand-'))
    cleanups.push(() => rm(folder, { recursive: true, force: true }))
    await extract(commit, folder)
    if (!existsSync(join(folder, 'test/acceptance/run.ts')))
      throw new Refusal('It comes before the acceptance tests: it has none to pass.')
    await givePackages(folder, signal)
    if ((await runScript(folder, ['build'])) !== 0) throw new Refusal('It cannot be built: see above.')
    return folder
  }

  /** Runs a script of its `package.json`. Returns the status. */
  function runScript(folder: string, script: string[], environment: Record<string, string> = {}) {
    const env = { ...inherited, ...environment }
    return run([process.execPath, '--run', ...script], { cwd: folder, env, signal })
  }

  async function makeDatabase(): Promise<string> {
    const { url, stop } = await startPostgres()
    cleanups.push(stop)
    await migrate(url, 'migrations')
    return url
  }

  /** Starts the bundle, called back by an emulator of Cloud Tasks. Returns its URL. */
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
    // what a busy machine could not hand over in time waits for a tick
    const email = testTasks.TASKS_INVOKER
    emulator.schedule({ url: url + (await tickPath(folder)), audience: url, email, everySeconds: 10 })
    await waitForResponse(`${url}/ping`, AbortSignal.any([signal, ended.signal])).catch(() => {
      signal.throwIfAborted()
      throw new Refusal('Its bundle does not start: see above.')
    })
    return url
  }

  /** Where the revision has its tick: it says so in its contract. */
  async function tickPath(folder: string): Promise<string | undefined> {
    const { paths } = JSON.parse(await readFile(join(folder, 'openapi/internal.json'), 'utf8'))
    return Object.keys(paths).find((path) => path.endsWith('/tick'))
  }

  try {
    const folder = await build()
    const url = await start(folder, await makeDatabase())
    return await runScript(folder, ['test:acceptance', '--', url], { AUTH_SECRET: testAuth.secret })
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup()
  }
}
