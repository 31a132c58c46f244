import { AsyncLocalStorage } from 'node:async_hooks'
import type { Reporter } from './report.ts'
import type { Trace } from './trace.ts'

/** What is known of the request (or task) that the running code serves. */
export interface RequestContext {
  readonly requestId: string
  readonly trace: Trace
  readonly method: string
  readonly path: string
  readonly reporter: Reporter
  /** The caller's subject, once a token was verified. */
  subject?: string
  /** Reports under way; the response waits for them, a second at most. */
  readonly reports: Promise<void>[]
}

const storage = new AsyncLocalStorage<RequestContext>()

/** Runs `work` so that every log line and report inside it belongs to `context`. */
export function runInContext<Result>(context: RequestContext, work: () => Result): Result {
  return storage.run(context, work)
}

/** The request that the running code serves; `undefined` outside any. */
export function currentRequest(): RequestContext | undefined {
  return storage.getStore()
}
