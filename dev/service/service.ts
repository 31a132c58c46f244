import type { ChildProcess } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { hasColours, say, seconds, step } from '../machine/say.ts'
import type { Environment } from '../machine/settings.ts'
import { bundleForDev, type DevBundle } from './bundle.ts'
import { applyMigrations, endChild, startChild } from './child.ts'
import { serviceLog } from './log.ts'
import type { RecentLines } from './recent-lines.ts'
import { watchFolders } from './watch.ts'

/** The service of `npm run dev`. */
export interface DevService {
  /** Applies the migrations, and starts it. @throws if the migrations fail, after they have printed why */
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * The service. It restarts whenever something below `src/` or `migrations/`, or `.env`, changes. New migrations are
 * applied before. If it ends by itself, it waits for the next change. If the sources cannot be bundled, the service that
 * runs keeps running.
 *
 * @param folder where it is bundled
 * @param environmentNow called at each start
 * @param options.json prints the service's lines as they are
 * @param options.lines keeps them
 */
export function createService(
  folder: string,
  environmentNow: () => Promise<Environment>,
  options: { json?: boolean | undefined; lines?: RecentLines } = {},
): DevService {
  const show = options.json ? (line: string) => line : serviceLog(hasColours())
  let child: ChildProcess | undefined
  let bundle: DevBundle | undefined
  let migrated = false
  let stopped = false
  let last: Promise<unknown> = Promise.resolve()

  /** Runs each `work` after the one before it has ended. After `stop`, it runs none. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const turn = last.then(() => (stopped ? undefined : work()))
    last = turn.catch(() => {})
    return turn
  }

  async function renew(): Promise<DevBundle | undefined> {
    try {
      return await bundleForDev(folder)
    } catch (error) {
      say(messageOf(error))
      say(
        `The sources cannot be bundled. ${child ? 'The service keeps running as it was' : 'It starts when a file changes'}.`,
      )
      return undefined
    }
  }

  async function migrate({ migrate }: DevBundle): Promise<void> {
    migrated = false
    await applyMigrations(migrate, await environmentNow())
    migrated = true
  }

  async function run({ service }: DevBundle, onListening?: () => void): Promise<void> {
    const environment = await environmentNow()
    const onLine = (line: string) => {
      options.lines?.add(line)
      const shown = show(line)
      if (shown !== undefined) say(shown)
      if (line.includes('"Listening on port ')) onListening?.()
      if (line.includes('"The configuration is not usable')) say('Write it to .env, as .env.example shows.')
    }
    const started = startChild(service, environment, { preloaded: ['../guard/preload.ts'], onLine })
    child = started
    started.once('close', (code, signal) => {
      if (child !== started) return
      child = undefined
      say(`The service ended (${signal ?? `exit code ${code}`}). It starts again when a file changes.`)
    })
  }

  async function end(): Promise<void> {
    const ending = child
    child = undefined
    await endChild(ending)
  }

  async function restart(changed: readonly string[]): Promise<void> {
    const start = performance.now()
    say(`${changed.join(', ')} changed: starting the service again.`)
    const next = await renew()
    if (!next) return
    await end()
    await bundle?.remove()
    bundle = next
    try {
      if (!migrated || changed.some((file) => file.startsWith('migrations'))) await migrate(next)
      if (!stopped) await run(next, () => say(`It runs again, ${seconds(start)} s after the change.`))
    } catch (error) {
      say(messageOf(error))
    }
  }

  const endWatch = watchFolders(
    ['src', 'migrations', '.env'],
    (changed) => void inTurn(() => restart(changed)),
  )
  return {
    start: () =>
      inTurn(async () => {
        const first = await step('The sources, bundled', renew)
        if (!first) return
        bundle = first
        await step('Migrations', () => migrate(first))
        if (!stopped) await run(first)
      }),
    async stop() {
      stopped = true
      endWatch()
      await last
      await end()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : `${error}`
}
