import { within } from '../within.ts'
import { currentRequest } from './context.ts'

const reportTime = 1000

/** What a report says of the request that it belongs to. */
export interface ReportContext {
  readonly requestId?: string
  readonly traceId?: string
  readonly method?: string
  readonly path?: string
  readonly subject?: string | undefined
  readonly [key: string]: unknown
}

/** A fork's own error service; both may be asynchronous. What they throw changes no answer. */
export interface Reporter {
  error?: (error: unknown, context: ReportContext) => unknown
  warning?: (title: string, data: Record<string, unknown>, context: ReportContext) => unknown
}

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
