import { AsyncLocalStorage } from 'node:async_hooks'
import { causes } from './causes.ts'
import type { Reporter } from './reporter.ts'
import type { Span } from './span.ts'
import type { Trace } from './trace.ts'

/** The task that a callback is for. */
export interface ContextTask {
  readonly name: string
  readonly id: string
  /** Absent if the task was not claimed. */
  readonly attempt?: number
  /** The trace of the request that enqueued it. */
  readonly traceId?: string | undefined
  /** What became of the attempt, when it is over. */
  readonly outcome?: string
}

/** Gives the tokens of calls to other services. */
export interface CallIdentity {
  /**
   * A Google ID token of the service's own account.
   *
   * @param signal ends the wait
   * @throws {Error} when none can be fetched
   */
  idToken(audience: string, signal: AbortSignal): Promise<string>
  /** Call this when the audience has refused a token: it is not used again. */
  invalidate(audience: string, token: string): void
  /** Signs a short-lived token of this service for a subject. @throws {Error} if an identity provider issues the tokens */
  signFor(subject: string, scopes: readonly string[]): Promise<string>
}

/** What is known of the request (or task) that the running code belongs to. */
export interface RequestContext {
  readonly requestId: string
  readonly trace: Trace
  /** The span that the running code belongs to, if traces are on. */
  readonly span?: Span | undefined
  readonly method: string
  readonly path: string
  readonly reporter: Reporter
  /** The caller's subject, after its token was verified. */
  subject?: string
  /** The caller's verified token, as it was sent; absent if it sent an API key. */
  token?: string
  /**
   * Work that the response waits for, because it may not outlive the request: reports, connections that are recovering.
   * Each ends within a second, and never rejects.
   */
  readonly pendingWork: Promise<unknown>[]
  /** Aborts each call to another service that the request has started. No call may outlive the response. */
  readonly outgoingCalls: AbortController[]
  /** Aborts when the request ends before its response. Its queries end then too. */
  signal?: AbortSignal
  /** When `signal` aborts at the latest, as `performance.now()` counts. */
  endsAt?: number
  /** Values that parts of the runtime store with the request: see `requestValue`. */
  readonly values: Map<symbol, unknown>
  readonly identity?: CallIdentity | undefined
  /** The task, if the request is a callback. */
  task?: ContextTask
  /** The scopes of the running task's calls as its caller: see `defineTask`. */
  readonly callerScopes?: readonly string[] | undefined
}

const storage = new AsyncLocalStorage<RequestContext>()

/** Runs `work` so that every log line and report inside it belongs to `context`. */
export function runInContext<Result>(context: RequestContext, work: () => Result): Result {
  return storage.run(context, work)
}

/** Runs `work` so that its queries end with this signal, not with the request's own. `more` is changed as well. */
export function runWithSignal<Result>(
  signal: AbortSignal,
  work: () => Result,
  more: Partial<RequestContext> = {},
): Result {
  const request = storage.getStore()
  return request ? storage.run({ ...request, ...more, signal }, work) : work()
}

/** A value that one part of the runtime stores with the request. Other parts cannot read it. */
export interface RequestValue<Value> {
  /** `undefined` outside a request, and if no value was set. */
  get(): Value | undefined
  /** Does nothing outside a request. */
  set(value: Value): void
}

/** Creates a request value. Call it once, when the module is loaded. */
export function requestValue<Value>(name: string): RequestValue<Value> {
  const key = Symbol(name)
  return {
    get: () => storage.getStore()?.values.get(key) as Value | undefined,
    set: (value) => void storage.getStore()?.values.set(key, value),
  }
}

const ends = new WeakSet<object>()

/** Marks an error as the reason why a request, or an attempt, ends early. It is the reason of the signal. */
export function markEndOfRequest<Reason extends Error>(reason: Reason): Reason {
  ends.add(reason)
  return reason
}

/**
 * Whether the error was thrown because a request ended early. Such an error may be unhandled: code may have started a query,
 * or a call with the request's signal, and not awaited it yet when the request ended.
 *
 * @example
 * isEndOfRequest(new Error('The query failed')) // → false
 */
export function isEndOfRequest(error: unknown): boolean {
  return causes(error).some((cause) => cause instanceof Error && ends.has(cause))
}

/** The request that the running code belongs to; `undefined` outside a request. */
export function currentRequest(): RequestContext | undefined {
  return storage.getStore()
}
