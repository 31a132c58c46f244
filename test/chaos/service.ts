import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** The built service in a process that is killed, and started again, now and then. */
export interface Victim {
  /** Resolves when it listens: at once, or when it does again. Rejects if it ended by itself. */
  up(): Promise<void>
  /** Kills it at once, and starts another on the same port. Resolves when that listens. */
  kill(): Promise<void>
  /** Kills it for good. */
  end(): Promise<void>
  /** Lines that should not be there: errors other than 503 (a machine under load), and what is no entry of the log. */
  readonly complaints: string[]
  /** Aborts when it ended by itself. */
  readonly lost: AbortSignal
}

/** Starts a bundle with these variables, watched by the guard of work outside requests. */
export function startVictim(bundle: string, environment: Record<string, string>): Victim {
  const complaints: string[] = []
  const lost = new AbortController()
  let child = spawnService(bundle, environment)
  let listening = watch(child)
  let ended = false

  function watch(started: ChildProcess): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    promise.catch(() => {}) // a caller of `up` learns of it
    for (const stream of [started.stdout, started.stderr] as Readable[]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (/"Listening on port \d+"/.test(line)) resolve()
        if (
          !/^\{"severity":"(DEBUG|INFO|WARNING)"|"status":503|"code":"(OVERLOADED|DATABASE_UNAVAILABLE)"/.test(
            line,
          )
        )
          complaints.push(line)
      })
    }
    started.once('close', (code, signal) => {
      if (signal === 'SIGKILL') return
      const error = new Error(`The service ended by itself: ${signal ?? `exit ${code}`}`)
      complaints.push(error.message)
      lost.abort(error)
      reject(error)
      listening = promise.then(() => Promise.reject(error))
      listening.catch(() => {})
    })
    return promise
  }

  async function restart(gone: Promise<unknown>): Promise<void> {
    await gone
    if (ended) return
    child = spawnService(bundle, environment)
    await watch(child)
  }

  function kill(): Promise<void> {
    const gone = lost.signal.aborted ? Promise.resolve() : once(child, 'close')
    child.kill('SIGKILL')
    listening = restart(gone)
    listening.catch(() => {})
    return listening
  }

  return {
    up: () => listening,
    kill,
    end() {
      ended = true
      return kill()
    },
    complaints,
    lost: lost.signal,
  }
}

function spawnService(bundle: string, environment: Record<string, string>): ChildProcess {
  return spawn(process.execPath, ['--import', './dev/guard/preload.ts', bundle], {
    env: { ...environment, GUARD: 'fail' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
