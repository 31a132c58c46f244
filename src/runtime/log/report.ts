import { currentRequest } from '../kernel/context.ts'
import type { ReportContext, Reporter } from '../kernel/reporter.ts'
import { waitAtMost } from '../kernel/wait-at-most.ts'

const reportMs = 1000

let fallback: Reporter = {}

/**
 * Sets the reporter for code outside requests: start-up, shutdown, scripts.
 *
 * @example
 * reportOutsideRequests({ error: (error) => console.error(error) })
 */
export function reportOutsideRequests(reporter: Reporter): void {
  fallback = reporter
}

/**
 * Reports an error that needs attention. The runtime calls it for every response with a status of 500 or above. The
 * response waits for the report, a second at most.
 *
 * @returns resolves when the report is sent, or after a second; never rejects
 * @example
 * await reportError(new Error('The import failed'))
 */
export function reportError(error: unknown, context: ReportContext = {}): Promise<void> {
  return report((reporter, request) => reporter.error?.(error, { ...request, ...context }))
}

/**
 * Reports something unexpected that caused no error. Inside a request, the response waits for the report, a second at
 * most.
 *
 * @returns resolves when the report is sent, or after a second; never rejects
 * @example
 * await reportWarning('The import was empty', { rows: 0 })
 */
export function reportWarning(title: string, data: Record<string, unknown> = {}): Promise<void> {
  return report((reporter, request) => reporter.warning?.(title, data, request))
}

async function report(send: (reporter: Reporter, request: ReportContext) => unknown): Promise<void> {
  const request = currentRequest()
  const { requestId, method, path, subject, trace } = request ?? {}
  const about = request ? { requestId, traceId: trace?.traceId, method, path, subject } : {}
  const sending = (async () => {
    await send(request?.reporter ?? fallback, about as ReportContext)
  })().catch((cause) => {
    const why = cause instanceof Error ? cause.message : `a ${typeof cause} was thrown, not an error`
    process.emitWarning(`A report could not be sent: ${why}`)
  })
  const sent = waitAtMost(reportMs, sending)
  request?.pendingWork.push(sent)
  await sent
}
