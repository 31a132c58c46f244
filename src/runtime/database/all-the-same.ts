import { endOfRequest, withSignal } from '../kernel/context.ts'
import { unavailable } from './errors.ts'

/**
 * Runs queries that must be written even if the request has ended, such as the outcome of a task. They do not end with
 * the request: they have a deadline of their own.
 *
 * @throws {Problem} DATABASE_UNAVAILABLE when the queries take longer than `milliseconds`
 */
export async function allTheSame<Result>(milliseconds: number, work: () => Promise<Result>): Promise<Result> {
  const controller = new AbortController()
  const late = () =>
    controller.abort(endOfRequest(unavailable(new Error(`It took longer than ${milliseconds} ms`))))
  const timer = setTimeout(late, milliseconds)
  try {
    return await withSignal(controller.signal, work)
  } finally {
    clearTimeout(timer)
  }
}
