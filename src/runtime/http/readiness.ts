import { markEndOfRequest, runWithSignal } from '../kernel/context.ts'
import { Problem, problems } from '../kernel/problem.ts'

/** What must respond before the service is ready, by name. Each check resolves, or rejects with the reason. */
export type ReadinessChecks = Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>>

/** Longer than the pool waits for a connection, so that nothing of a check outlives its response. */
const checkMs = 5_000

/**
 * Runs all checks at the same time, each for five seconds at most.
 *
 * @param signal the request's. The signal of each check aborts with it, and when the check ends
 * @returns `ok` for each check, by name
 * @throws {Problem} NOT_READY, naming the checks that failed. The log has the reasons
 */
export async function checkReadiness(
  checks: ReadinessChecks,
  signal: AbortSignal,
): Promise<Record<string, 'ok'>> {
  const names = Object.keys(checks)
  const results = await Promise.allSettled(names.map((name) => runCheck(checks[name], signal)))
  const failed = names.filter((_name, index) => results[index]?.status === 'rejected')
  if (failed.length === 0) return Object.fromEntries(names.map((name) => [name, 'ok' as const]))
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  const cause = reasons.length > 1 ? new AggregateError(reasons, failed.join(', ')) : reasons[0]
  throw new Problem(problems.NOT_READY, {
    detail: `Not ready: ${failed.join(', ')}.`,
    headers: { 'Retry-After': '5' },
    cause,
  })
}

async function runCheck(check: ReadinessChecks[string] | undefined, signal: AbortSignal): Promise<void> {
  const controller = new AbortController()
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = () => {
    const error = new Error(`The check did not end within ${checkMs} ms`)
    controller.abort(markEndOfRequest(error))
    reject(error)
  }
  const timer = setTimeout(stop, checkMs)
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.race([runWithSignal(controller.signal, async () => check?.(controller.signal)), promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    controller.abort(markEndOfRequest(new Error('The check is over')))
  }
}
