import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** A process of this machine. */
export interface ProcessFacts {
  readonly pid: number
  readonly parent: number
  /** One letter; `Z` is one that has ended and whose parent has not noticed. */
  readonly state: string
  readonly command: string
}

/** All processes: from `/proc`, since a small Linux has no `ps`; elsewhere from `ps`. */
export function processes(): ProcessFacts[] {
  if (process.platform === 'linux') return readdirSync('/proc').filter(isPid).flatMap(fromProc)
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' }).trim().split('\n')
  return lines.map((line) => {
    const [pid = '', parent = '', state = '', ...command] = line.trim().split(/\s+/)
    return { pid: Number(pid), parent: Number(parent), state: state.slice(0, 1), command: command.join(' ') }
  })
}

/** The process of that id, and all below it. */
export function descendants(pid: number): ProcessFacts[] {
  const all = processes()
  const found = all.filter((one) => one.pid === pid)
  for (const parent of found) found.push(...all.filter((one) => one.parent === parent.pid))
  return found
}

/** Those of the ids that have not ended. */
export function alive(pids: Iterable<number>): number[] {
  const living = new Set(processes().flatMap(({ pid, state }) => (state === 'Z' ? [] : [pid])))
  return [...pids].filter((pid) => living.has(pid))
}

function isPid(name: string): boolean {
  return /^\d+$/.test(name)
}

function fromProc(name: string): ProcessFacts[] {
  try {
    const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
    const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // its name may hold anything
    const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').join(' ').trim()
    return [{ pid: Number(name), parent: Number(parent), state, command }]
  } catch {
    return [] // it has ended meanwhile
  }
}
