import { execFile } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Looks at what a process has of memory, every 200 ms while something runs; bytes: the most, and at the end. */
export async function whileSampled<Result>(
  pid: number | undefined,
  work: () => Promise<Result>,
): Promise<{ result: Result; peak: number; rss: number }> {
  let [peak, rss, ended] = [0, 0, false]
  async function sample(): Promise<void> {
    while (!ended && pid !== undefined) {
      // nothing of a process that has ended
      const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)]).catch(() => ({ stdout: '0' }))
      rss = Number(stdout) * 1024
      peak = Math.max(peak, rss)
      if (!ended) await setTimeout(200)
    }
  }
  const sampling = sample()
  const result = await work().finally(() => {
    ended = true
  })
  await sampling
  return { result, peak, rss }
}
