import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'

/** A process that runs, and those that it started. */
export interface Group {
  /** What it has printed so far. */
  readonly output: string
  /** Its exit status, when the last of them is gone; 127 if there is no such program. */
  readonly exit: Promise<number>
  /** Ends them all: SIGTERM, after ten seconds SIGKILL. */
  stop(): Promise<void>
}

interface Options {
  readonly cwd: string
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>
  /** Gets what it prints, line by line. */
  readonly write?: (text: string) => void
  /** Stops it. */
  readonly signal?: AbortSignal
}

/** Where programs are looked for: this Node first. */
export const path = `${dirname(process.execPath)}:${process.env.PATH}`

const running = new Set<(signal: NodeJS.Signals) => void>()
process.on('exit', () => {
  for (const send of running) send('SIGKILL')
})

/** Starts a program in a process group of its own, out of a terminal's Ctrl-C. */
export function startGroup([command = '', ...args]: readonly string[], options: Options): Group {
  const { cwd, env, write, signal } = options
  const program = command === 'node' ? process.execPath : command
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  function send(name: NodeJS.Signals): void {
    try {
      if (child.pid) process.kill(-child.pid, name)
    } catch {} // it is gone
  }
  running.add(send)
  const ended = once(child, 'close').then(
    ([status]) => Number(status ?? 128),
    () => 127,
  )

  const group = {
    output: '',
    exit: ended.finally(() => running.delete(send)),
    async stop() {
      const timer = setTimeout(send, 10_000, 'SIGKILL')
      send('SIGTERM')
      await ended
      clearTimeout(timer)
    },
  }
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (line) => {
      group.output += `${line}\n`
      write?.(`${line}\n`)
    })
  signal?.addEventListener('abort', group.stop)
  return group
}
