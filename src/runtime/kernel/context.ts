import { AsyncLocalStorage } from 'node:async_hooks'
import { causes } from './causes.ts'
import type { Reporter } from './reporter.ts'
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
  readonly pendingWork: Promise<unknown>[]
  /** End the calls to others that were begun here: none may outlive the response. */
  readonly outgoingCalls: AbortController[]
  /** Aborts when the request ends without its response: its queries end with it. */
  signal?: AbortSignal
  /** What parts of the runtime keep with the request: see `requestValue`. */
  readonly values: Map<symbol, unknown>
  /** The task that runs, where the request is a callback. */
  readonly task?: { readonly name: string; readonly id: string; readonly attempt: number }
}

const storage = new AsyncLocalStorage<RequestContext>()

/** Runs `work` so that every log line and report inside it belongs to `context`. */
export function runInContext<Result>(context: RequestContext, work: () => Result): Result {
  return storage.run(context, work)
}

/** Runs `work` so that its queries end with this signal, not with the request's own. */
export function runWithSignal<Result>(signal: AbortSignal, work: () => Result): Result {
  const request = storage.getStore()
  return request ? storage.run({ ...request, signal }, work) : work()
}

/** A value that one part of the runtime keeps with the request, for its whole time; nobody else can reach it. */
export interface RequestValue<Value> {
  /** `undefined` outside any request, and where nothing was set. */
  get(): Value | undefined
  /** Does nothing outside any request. */
  set(value: Value): void
}

/** Makes such a value: once, where the module is loaded. */
export function requestValue<Value>(name: string): RequestValue<Value> {
  const key = Symbol(name)
  return {
    get: () => storage.getStore()?.values.get(key) as Value | undefined,
    set: (value) => void storage.getStore()?.values.set(key, value),
  }
}

const ends = new WeakSet<object>()

/** Marks why a request, or a task's attempt, ends before its time: its signal's reason. */
export function markEndOfRequest<Reason extends Error>(reason: Reason): Reason {
  ends.add(reason)
  return reason
}

/**
 * Whether this was thrown because a request had ended before its time. Who began a query, or a call with the request's
 * signal, and waits for another first may never come to wait for it.
 */
export function isEndOfRequest(error: unknown): boolean {
  return causes(error).some((cause) => cause instanceof Error && ends.has(cause))
}

/** The request that the running code serves; `undefined` outside any. */
export function currentRequest(): RequestContext | undefined {
  return storage.getStore()
}
