import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'

/** The program is there and runs. */
const has = (program: string, ...args: string[]) => spawnSync(program, args).error === undefined

/** The processors that this process may use. */
function allowedCores(): number[] {
  if (!existsSync('/proc/self/status')) return cpus().map((_, core) => core)
  const list = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

const cores = allowedCores()
const taskset = process.platform === 'linux' && cores.length > 1 && has('taskset', '--version')

/** What this machine can do. What it cannot is named in the results. */
export const machine = {
  /** Programs can be pinned to processors. */
  taskset,
  /** `wrk` sends the load; else autocannon does. */
  wrk: has('wrk', '--version'),
  /** The kernel counts CPU time in nanoseconds. Else `ps` gives hundredths of a second. */
  proc: existsSync('/proc/self/task'),
  serverCore: cores.at(-1) ?? 0,
  otherCores: cores.slice(0, -1).join(','),
}

/** The command that runs a program on the server's processor, where nothing else of the benchmark runs. */
export function onServerCore(program: string, args: readonly string[]): [program: string, args: string[]] {
  if (!machine.taskset) return [program, [...args]]
  return ['taskset', ['-c', String(machine.serverCore), program, ...args]]
}

/** The command that runs a program on all processors, as a person would. */
export function onAllCores(program: string, args: readonly string[]): [program: string, args: string[]] {
  if (!machine.taskset) return [program, [...args]]
  return ['taskset', ['-c', cores.join(','), program, ...args]]
}

/** Leaves the server's processor to the server: this process, and all that it starts from now on, use the others. */
export function leaveServerCore(): void {
  if (machine.taskset) execFileSync('taskset', ['-a', '-cp', machine.otherCores, String(process.pid)])
}

/** The load of the last minute, from all that runs on the machine. */
export function load(): number {
  return Math.round((loadavg()[0] ?? 0) * 10) / 10
}

/** The machine in one line, and what it lacks. */
export function describeMachine(): { machine: string; lacks: string[] } {
  const [first] = cpus()
  const gib = Math.round(totalmem() / 2 ** 30)
  const pins = `server on processor ${machine.serverCore}, load and PostgreSQL on ${machine.otherCores}`
  return {
    machine: `${first?.model.trim()}, ${cores.length} processors, ${gib} GiB, ${process.platform} ${process.arch}${machine.taskset ? `; ${pins}` : ''}`,
    lacks: [
      ...(machine.taskset ? [] : ['taskset or a second processor: nothing is pinned, so rates vary more']),
      ...(machine.wrk ? [] : ['wrk: autocannon sends the load, and needs more of its processor']),
      ...(machine.proc ? [] : ['/proc: CPU time comes from ps, and PostgreSQL’s is not measured']),
    ],
  }
}
