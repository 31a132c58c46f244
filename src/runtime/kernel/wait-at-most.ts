/**
 * Waits for `work`, but no longer than `milliseconds`; its timer never outlives the wait.
 *
 * @returns whether `work` settled in time; its outcome is left to whoever else holds it
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
