import { AsyncLocalStorage } from 'node:async_hooks'
import type { Outbox } from '../tasks/outbox.ts'
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
  /**
   * What is under way and may not outlive the response, which waits for it: reports, connections to be used again. Each
   * ends within a second, and none rejects.
   */
  readonly unfinished: Promise<unknown>[]
  /** Aborts when the request ends without its response: its queries end with it. */
  signal?: AbortSignal
  /** The tasks that were enqueued here, to be handed over before the response. */
  outbox?: Outbox
  /** The task that runs, where the request is a callback. */
  readonly task?: { readonly name: string; readonly id: string; readonly attempt: number }
}

const storage = new AsyncLocalStorage<RequestContext>()

/** Runs `work` so that every log line and report inside it belongs to `context`. */
export function runInContext<Result>(context: RequestContext, work: () => Result): Result {
  return storage.run(context, work)
}

/** Runs `work` so that its queries end with this signal, not with the request's own. */
export function withSignal<Result>(signal: AbortSignal, work: () => Result): Result {
  const request = storage.getStore()
  return request ? storage.run({ ...request, signal }, work) : work()
}

/** The request that the running code serves; `undefined` outside any. */
export function currentRequest(): RequestContext | undefined {
  return storage.getStore()
}
