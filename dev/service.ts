import type { ChildProcess } from 'node:child_process'
import { existsSync, watch } from 'node:fs'
import { join } from 'node:path'
import { applyMigrations, endChild, startChild } from './child.ts'
import type { Environment } from './settings.ts'

/** An editor saves several files, or one in several steps: that is one change. */
const settleTime = 100

/**
 * Runs the service, and starts it again whenever something below `src/` or `migrations/` changes; new
 * migrations are applied before. If it ends by itself, it waits for the next change.
 */
export function runService(environment: Environment): { stop(): Promise<void> } {
  let child: ChildProcess | undefined
  let stopped = false
  let restarts = Promise.resolve()

  function start(): void {
    const started = startChild('src/main.ts', environment, ['./guard/preload.ts'])
    child = started
    started.once('exit', (code, signal) => {
      if (child !== started) return
      console.log(
        `The service ended (${signal ?? `exit code ${code}`}). It starts again when a file changes.`,
      )
    })
  }

  async function restart(changed: readonly string[]): Promise<void> {
    console.log(`${changed.join(', ')} changed: starting the service again.`)
    const previous = child
    child = undefined
    await endChild(previous)
    try {
      if (changed.some((file) => file.startsWith('migrations'))) await applyMigrations(environment)
      if (!stopped) start()
    } catch (error) {
      console.error(error instanceof Error ? error.message : error)
    }
  }

  const endWatch = watchFolders(['src', 'migrations'], (changed) => {
    restarts = restarts.then(() => (stopped ? undefined : restart(changed)))
  })
  start()

  async function stop(): Promise<void> {
    stopped = true
    endWatch()
    await restarts
    const last = child
    child = undefined
    await endChild(last)
  }
  return { stop }
}

/** Calls back with the files that changed, once they rest. Returns what ends it. */
function watchFolders(folders: readonly string[], onChange: (files: readonly string[]) => void): () => void {
  const changed = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  const watchers = folders.filter(existsSync).map((folder) =>
    watch(folder, { recursive: true }, (_event, name) => {
      if (name && /(^|[\\/])\.|~$/.test(name)) return // an editor's own
      changed.add(name ? join(folder, name) : folder)
      clearTimeout(timer)
      timer = setTimeout(() => {
        onChange([...changed])
        changed.clear()
      }, settleTime)
    }),
  )
  return () => {
    clearTimeout(timer)
    for (const watcher of watchers) watcher.close()
  }
}
