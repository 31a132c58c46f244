/**
 * Waits until `work` settles, but no longer than `milliseconds`. Its timer does not outlive the wait.
 *
 * @returns whether `work` settled in time. It never throws: await `work` itself to get its outcome
 * @example
 * await waitAtMost(1_000, Promise.resolve()) // → true
 */
export async function waitAtMost(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), milliseconds)
  const settled = () => resolve(true)
  work.then(settled, settled)
  const inTime = await promise
  clearTimeout(timer)
  return inTime
}
