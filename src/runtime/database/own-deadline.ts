import { markEndOfRequest, runWithSignal } from '../kernel/context.ts'
import { databaseUnavailable } from './errors.ts'

/**
 * Runs queries that must be written even if the request has ended, such as the outcome of a task. They do not end with
 * the request: they have a deadline of their own.
 *
 * @throws {Problem} DATABASE_UNAVAILABLE when the queries take longer than `milliseconds`
 */
export async function withOwnDeadline<Result>(
  milliseconds: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController()
  const late = () =>
    controller.abort(
      markEndOfRequest(databaseUnavailable(new Error(`It took longer than ${milliseconds} ms`))),
    )
  const timer = setTimeout(late, milliseconds)
  try {
    return await runWithSignal(controller.signal, work)
  } finally {
    clearTimeout(timer)
  }
}
