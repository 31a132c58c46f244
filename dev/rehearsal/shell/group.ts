import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Environment } from '../../machine/settings.ts'
import { Refusal } from './programs.ts'

interface Options {
  readonly cwd: string
  /** All of its environment. */
  readonly env: Environment
  /** Gets what it prints, line by line. */
  readonly write?: (text: string) => void
  /** Stops it. With the reason `SIGKILL` it ends at once, as on a machine that goes away. */
  readonly signal?: AbortSignal
}

const running = new Set<{ send(signal: NodeJS.Signals): void; stop(): Promise<void> }>()
process.on('exit', () => {
  for (const { send } of running) send('SIGKILL')
})

/** Stops all groups that run. */
export async function stopGroups(): Promise<void> {
  await Promise.all([...running].map(({ stop }) => stop()))
}

/** Starts a program in a process group of its own, which a Ctrl-C in the terminal does not reach. */
export function startGroup([command = '', ...args]: readonly string[], options: Options) {
  const { cwd, env, write, signal } = options
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const exit = once(child, 'close').then(([status]) => Number(status ?? 128))

  const group = {
    /** What it has printed so far. */
    output: '',
    /** Its exit status, once all that it started have ended. */
    exit: exit.finally(() => running.delete(group)),
    send(name: NodeJS.Signals): void {
      try {
        if (child.pid) process.kill(-child.pid, name)
      } catch {} // it has ended
    },
    /** Ends all of them: SIGTERM, after ten seconds SIGKILL. */
    async stop(): Promise<void> {
      const timer = setTimeout(group.send, 10_000, 'SIGKILL')
      group.send('SIGTERM')
      await exit
      clearTimeout(timer)
    },
  }
  running.add(group)
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (line) => {
      group.output += `${line}\n`
      write?.(`${line}\n`)
    })
  signal?.addEventListener('abort', () =>
    signal.reason === 'SIGKILL' ? group.send('SIGKILL') : void group.stop(),
  )
  return group
}

/** Waits until a program ends. Returns what it printed. @throws {Refusal} with that, if it fails */
export async function endOf(program: {
  readonly exit: Promise<number>
  readonly output: string
}): Promise<string> {
  if ((await program.exit) !== 0) throw new Refusal(program.output)
  return program.output
}
