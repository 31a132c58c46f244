import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { machine } from './machine.ts'

/** The CPU time of a process so far, in microseconds, all threads and both modes. */
export function cpuUs(pid: number): number {
  return machine.proc
    ? readdirSync(`/proc/${pid}/task`).reduce((sum, id) => sum + threadUs(pid, id), 0)
    : psUs(pid)
}

/**
 * The CPU time of a process and its children so far, in microseconds: PostgreSQL has one for each connection. A child that has
 * ended stays in the sum.
 */
export function familyCpuUs(parent: number): number {
  if (!machine.proc) return Number.NaN
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(Number(name)) === parent)
  return [parent, ...pids.map(Number)].reduce(
    (sum, pid) => sum + quietly(() => cpuUs(pid)),
    endedChildrenUs(parent),
  )
}

/** Of children that have ended; the kernel counts it in hundredths of a second. */
function endedChildrenUs(parent: number): number {
  const [user, system] = statOf(parent).slice(13, 15).map(Number)
  return ((user ?? 0) + (system ?? 0)) * 10_000
}

/** The resident memory of a process, in MiB: now, and at its peak where the kernel says. */
export function residentMiB(pid: number): { now: number; peak: number } {
  if (!machine.proc) {
    const now = Number(execFileSync('ps', ['-o', 'rss=', '-p', `${pid}`], { encoding: 'utf8' })) / 1024
    return { now, peak: Number.NaN }
  }
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mib = (name: string) => Number(new RegExp(`${name}:\\s*(\\d+) kB`).exec(status)?.[1]) / 1024
  return { now: mib('VmRSS'), peak: mib('VmHWM') }
}

/** A thread that has ended since it was listed counts nothing. */
function threadUs(pid: number, thread: string): number {
  return quietly(() => {
    const [ran] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')
    return Number(ran) / 1000
  })
}

function parentOf(pid: number): number {
  return quietly(() => Number(statOf(pid)[1]))
}

/** The fields of /proc/PID/stat after the name of the program, which stands in parentheses and may hold spaces. */
function statOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? []
}

function psUs(pid: number): number {
  const [seconds = 0, minutes = 0, hours = 0] = execFileSync('ps', ['-o', 'time=', '-p', `${pid}`], {
    encoding: 'utf8',
  })
    .trim()
    .split(':')
    .reverse()
    .map(Number)
  return (hours * 3600 + minutes * 60 + seconds) * 1e6
}

function quietly(read: () => number): number {
  try {
    return read()
  } catch {
    return 0
  }
}
