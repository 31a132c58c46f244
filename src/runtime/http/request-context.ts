import { randomUUID } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import { type CallIdentity, markEndOfRequest, type RequestContext, runInContext } from '../kernel/context.ts'
import { isShed } from '../kernel/problem.ts'
import type { Reporter } from '../kernel/reporter.ts'
import { holdConnections } from '../kernel/shared-connections.ts'
import { parseTrace } from '../kernel/trace.ts'
import type { Log } from '../log/logger.ts'
import { reportError } from '../log/report.ts'
import type { Recording } from '../traces/tracer.ts'
import type { Traces } from '../traces/traces.ts'
import { accessLog, statusOf } from './access-log.ts'
import type { BaseEnv } from './env.ts'
import { followStream, type StreamEnd } from './follow-stream.ts'
import { pathOf } from './path.ts'
import { prepareResponse } from './prepare-response.ts'
import type { ProblemResponder } from './problem-responder.ts'
import { stateOf } from './request-state.ts'
import { hasEveryHeader, isPrepared, replaceResponse } from './response.ts'
import { addEveryHeader, everyResponseHeaders, type ResponseHeaders } from './response-headers.ts'
import { refuseUnrouted } from './routed.ts'
import { forwardedScheme } from './scheme.ts'

/**
 * The outermost middleware. It gives the request its id and its trace, and the response the headers of every response. It
 * waits for work that must end before the response (a second at most), writes the request's log entry, and turns anything
 * that was thrown into a response. A streamed response is part of its request until it ends: with the same trace and
 * deadline.
 *
 * @param options.respond turns anything that was thrown into a response
 * @param options.stopping aborts when the process stops
 * @param options.trustedProxies how many proxies append to `X-Forwarded-For`
 * @param options.headers the service's own headers of every response
 * @param options.identity gives the tokens of `call`
 * @param options.traces records the spans of each request, if traces are on
 * @example
 * app.use(requestContext({ log, reporter: {}, respond, stopping, trustedProxies: 0 }))
 */
export function requestContext(options: {
  log: Log
  reporter: Reporter
  respond: ProblemResponder
  stopping: AbortSignal
  trustedProxies: number
  headers?: ResponseHeaders
  identity?: CallIdentity
  traces?: Traces | undefined
}): MiddlewareHandler<BaseEnv> {
  const { log, respond, stopping, trustedProxies, identity, traces } = options
  const startHeaders = everyResponseHeaders(options.headers)
  const reporter = withWarningLine(options.reporter, log)
  const writeLine = accessLog({ log, trustedProxies })
  return function requestContext(c, next) {
    const started = performance.now()
    const requestId = requestIdOf(c.req.header('x-request-id'))
    const context: RequestContext = {
      requestId,
      trace: parseTrace(c.req.header('traceparent'), c.req.header('x-cloud-trace-context')),
      method: c.req.method,
      path: pathOf(c.req.url),
      reporter,
      values: new Map(),
      identity,
      pendingWork: [],
      outgoingCalls: [],
    }
    c.set('requestId', requestId)
    c.set('log', log)
    startHeaders(c, requestId)

    const release = holdConnections()
    let recording: Recording | undefined
    async function finish(end?: StreamEnd): Promise<void> {
      try {
        await close(end)
      } finally {
        release()
      }
    }
    async function close(end?: StreamEnd): Promise<void> {
      const status = statusOf(c, end)
      const error = end ? end.error : c.error
      const failed = status >= 500 && !isShed(stateOf(c).problem)
      if (failed || end?.error !== undefined)
        void reportError(error ?? new Error(`The response has the status ${status}`), {
          status,
          route: routePath(c, -1),
        })
      for (const call of context.outgoingCalls) call.abort(markEndOfRequest(new Error('The request is over')))
      for (const work of context.pendingWork) await work // more may be added meanwhile
      if (recording) {
        const { route } = stateOf(c)
        await recording.end({ status, route, error, isStream: end !== undefined })
      }
      writeLine(c, { path: context.path, started, ...(end && { end }) })
    }

    async function handle(): Promise<void> {
      if (traces)
        recording = await traces.start(context, {
          started,
          scheme: forwardedScheme(c) === 'https' ? 'https' : 'http',
        })
      try {
        await next()
        refuseUnrouted(c)
        if (!isPrepared(c)) await prepareResponse(c)
      } catch (thrown) {
        // Hono passes only instances of Error to onError
        if (thrown instanceof Error) c.error = thrown
        c.res = respond(thrown, c)
      }
      if (!hasEveryHeader(c)) addEveryHeader(c)
      const stream = stateOf(c).stream
      if (stream?.response !== c.res) stream?.release?.()
      else if (c.req.method !== 'HEAD')
        return replaceResponse(c, followStream(c, stream, { stopping, onEnd: finish }))
      else {
        stream.abort?.(new Error('HEAD takes no body'))
        stream.release?.()
        void stream.response.body?.cancel().catch(() => {})
      }
      await finish()
    }
    return runInContext(context, () =>
      handle().catch((error) => {
        release()
        throw error
      }),
    )
  }
}

/** The caller's own request id, if no character of it could confuse a log; otherwise a new one. */
function requestIdOf(given: string | undefined): string {
  return given && /^[\w=-]{1,255}$/.test(given) ? given : randomUUID()
}

function withWarningLine(reporter: Reporter, log: Log): Reporter {
  return {
    error: (error, context) => reporter.error?.(error, context),
    warning(title, data, context) {
      log.warn({ data }, title)
      return reporter.warning?.(title, data, context)
    },
  }
}
