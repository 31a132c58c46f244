import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { machine } from './machine.ts'

/** The CPU time of a process so far, in microseconds, all threads and both modes. */
export function cpuUs(pid: number): number {
  return machine.proc
    ? readdirSync(`/proc/${pid}/task`).reduce((sum, id) => sum + threadUs(pid, id), 0)
    : psUs(pid)
}

/** The CPU time of a process and each of its children so far, in microseconds: PostgreSQL has one for each connection. */
export function familyCpu(parent: number): ReadonlyMap<number, number> {
  if (!machine.proc) return new Map()
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(Number(name)) === parent)
  return new Map([parent, ...pids.map(Number)].map((pid) => [pid, quietly(() => cpuUs(pid))]))
}

/** The CPU time of a family since `before`, in microseconds. Children that have ended meanwhile count nothing. */
export function familyCpuSince(parent: number, before: ReadonlyMap<number, number>): number {
  if (!machine.proc) return Number.NaN
  return Array.from(familyCpu(parent)).reduce((sum, [pid, us]) => sum + us - (before.get(pid) ?? 0), 0)
}

/** A thread that has ended since it was listed counts nothing. */
function threadUs(pid: number, thread: string): number {
  return quietly(() => {
    const [ran] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')
    return Number(ran) / 1000
  })
}

function parentOf(pid: number): number {
  // the name of the program stands in parentheses and may hold spaces
  return quietly(() => Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[1]))
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
