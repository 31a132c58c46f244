/** CPU time that this thread has taken, in milliseconds. */
export function threadTime(): number {
  process.cpuUsage() // Linux brings the thread's own time up to date when the whole process' is asked for, else 4 ms late
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
