import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'

type Write = (text: string) => void

/** A process that runs, and those that it started. */
export interface Group {
  /** What it has printed so far. */
  readonly output: string
  /** Its exit status, when the last of them is gone; 127 if there is no such program. */
  readonly exit: Promise<number>
  /** Ends them all: SIGTERM, after ten seconds SIGKILL. */
  stop(): Promise<void>
}

/** Where programs are looked for: this Node first. */
export const path = `${dirname(process.execPath)}:${process.env.PATH}`

const running = new Set<() => void>()
process.on('exit', () => {
  for (const kill of running) kill()
})

/**
 * Starts a program in a process group of its own, out of a terminal's Ctrl-C.
 *
 * @param options.env all of its environment
 * @param options.write gets what it prints, line by line
 * @param options.signal stops it
 */
export function startGroup(
  [command = '', ...args]: readonly string[],
  options: { cwd: string; env: Record<string, string>; write?: Write; signal?: AbortSignal },
): Group {
  const { cwd, env, write = () => {} } = options
  const program = command === 'node' ? process.execPath : command
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      output += `${line}\n`
      write(`${line}\n`)
    })
  }
  const signal = (name: NodeJS.Signals) => {
    try {
      if (child.pid) process.kill(-child.pid, name)
    } catch {} // it is gone
  }
  const kill = () => signal('SIGKILL')
  running.add(kill)
  const exit = once(child, 'close').then(
    ([status]) => Number(status ?? 128),
    () => 127,
  )
  void exit.then(() => running.delete(kill))

  async function stop(): Promise<void> {
    const timer = setTimeout(kill, 10_000)
    signal('SIGTERM')
    await exit
    clearTimeout(timer)
  }
  options.signal?.addEventListener('abort', stop)
  return {
    ...{ exit, stop },
    get output() {
      return output
    },
  }
}
