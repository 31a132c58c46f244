import { accessSync, constants, existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'

/** Where the kernel limits memory: version 1 of cgroups has a folder for it, version 2 has one for all. */
const roots = [
  { folder: '/sys/fs/cgroup/memory', file: 'memory.limit_in_bytes' },
  { folder: '/sys/fs/cgroup', file: 'memory.max' },
]

/** A group of processes that together may use so much memory. */
export interface MemoryLimit {
  /** Moves a process into the group. */
  add(pid: number): void
  remove(): void
}

/**
 * Limits memory as a container does. The kernel ends a process that needs more.
 *
 * @returns `undefined` where this user may not make such a group
 */
export function limitMemory(mib: number): MemoryLimit | undefined {
  for (const { folder, file } of roots) {
    const group = `${folder}/bench-${process.pid}`
    try {
      accessSync(folder, constants.W_OK)
      mkdirSync(group)
      if (existsSync(`${group}/${file}`)) {
        writeFileSync(`${group}/${file}`, String(mib * 2 ** 20))
        return {
          add: (pid) => writeFileSync(`${group}/cgroup.procs`, String(pid)),
          remove: () => rmdirSync(group),
        }
      }
      rmdirSync(group)
    } catch {
      // not here
    }
  }
  return undefined
}
