import { endOfRequest, withSignal } from '../kernel/context.ts'
import { unavailable } from './errors.ts'

/**
 * Runs what must be written even though the request may have ended, such as what became of a task: its queries end after
 * so many milliseconds instead.
 *
 * @throws {Problem} DATABASE_UNAVAILABLE, where they do
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
