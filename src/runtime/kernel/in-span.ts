import { currentRequest, runInContext } from './context.ts'
import type { SpanAttributes, SpanKind } from './span.ts'

/**
 * Runs `work` in a span of the current request. What it queries and calls is below that span. Without traces, it only runs
 * the work.
 */
export async function inSpan<Result>(
  name: string,
  kind: SpanKind,
  attributes: SpanAttributes,
  work: () => Promise<Result>,
): Promise<Result> {
  const request = currentRequest()
  const span = request?.span?.child(name, kind, attributes)
  if (!request || !span) return work()
  try {
    const result = await runInContext({ ...request, trace: span.trace, span }, work)
    span.end()
    return result
  } catch (error) {
    span.end(error)
    throw error
  }
}
