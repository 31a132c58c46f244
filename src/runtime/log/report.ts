import { currentRequest } from '../kernel/context.ts'
import type { ReportContext, Reporter } from '../kernel/reporter.ts'
import { within } from '../kernel/within.ts'

const reportTime = 1000

let fallback: Reporter = {}

/** The reporter of code that serves no request: start-up, shutdown, scripts. */
export function reportOutsideRequests(reporter: Reporter): void {
  fallback = reporter
}

/**
 * Reports an error that someone should look at. The runtime calls it for every answer of 500 or above; the
 * answer waits for it, a second at most.
 *
 * @returns when the reporter is done, or has had its second; never rejects
 */
export function reportError(error: unknown, context: ReportContext = {}): Promise<void> {
  return report((reporter, request) => reporter.error?.(error, { ...request, ...context }))
}

/**
 * Reports something odd that harmed nobody, from anywhere: inside a request the answer waits for it, a second
 * at most.
 *
 * @returns when the reporter is done, or has had its second; never rejects
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
    const why = cause instanceof Error ? cause.message : `not an error was thrown, but ${typeof cause}`
    process.emitWarning(`A report could not be sent: ${why}`)
  })
  const sent = within(reportTime, sending)
  request?.unfinished.push(sent)
  await sent
}
