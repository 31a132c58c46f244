/** Code that every call passes through. It says nothing about who started something. */
const plumbing =
  /node:(internal\/(async_hooks|timers|stream_base_commons|streams\/)|timers|events|net|stream)\b/

/** Code that serves the incoming connection, or keeps the time for all requests. No request started it. */
const nodesOwn = [
  /node:_http_server:/, // keep-alive of the incoming connection, the check of all connections
  /node:internal\/http:/, // the Date header, kept for a second
  /asyncResetHandle \(node:_http_agent:/, // a connection that was kept open, and is used again: it belongs to who opened it
  /refreshTimeout \(node:internal\/deps\/undici/, // the coarse clock that all of fetch's time limits share
  /@hono\/node-server\/|drainIncoming \(/, // drains the body of a request whose response came before it was read
]

/** Where something was started. Reading the text creates it, which is most of its cost. */
export interface Origin {
  readonly stack?: string
}

/** Notes the call stack below `callee`. */
export function captureOrigin(callee: (...args: never[]) => unknown): Origin {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 60
  const origin: Origin = {}
  Error.captureStackTrace(origin, callee)
  Error.stackTraceLimit = limit
  return origin
}

/** The lines of the stack, without that of the error itself. */
export function stackOf(origin: Origin): string {
  return (origin.stack ?? '').split('\n').slice(1).join('\n')
}

/** Whether the innermost code that is not plumbing belongs to the server itself. */
export function isNodesOwn(stack: string): boolean {
  const creator = stack.split('\n').find((line) => !plumbing.test(line)) ?? ''
  return nodesOwn.some((pattern) => pattern.test(creator))
}

/** The stack without Node's inner lines, if there are others. */
export function shorten(stack: string): string {
  const lines = stack.split('\n').filter((line) => !line.includes('node:'))
  return lines.length > 0 ? lines.join('\n') : stack
}
