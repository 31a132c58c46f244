import type { Context, MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import { type RequestContext, runInContext } from '../log/context.ts'
import type { Log } from '../log/logger.ts'
import { type Reporter, reportError } from '../log/report.ts'
import { parseTrace } from '../log/trace.ts'
import type { ProblemAnswer } from './answer-problem.ts'
import { clientLeft } from './client-left.ts'
import type { BaseEnv } from './env.ts'
import type { Problem } from './problem.ts'
import { refuseUnrouted } from './routed.ts'

/**
 * The outermost middleware: gives the request its trace, waits for what may not outlive it (a second at most), writes
 * its one log line, and answers what nobody else could, or may.
 *
 * @param options.answer writes a problem, whatever was thrown
 */
export function requestContext(options: {
  log: Log
  reporter: Reporter
  answer: ProblemAnswer
}): MiddlewareHandler<BaseEnv> {
  const { log, answer } = options
  const reporter = withWarningLine(options.reporter, log)
  return function requestContext(c, next) {
    const started = performance.now()
    const context: RequestContext = {
      requestId: c.get('requestId'),
      trace: parseTrace(c.req.header('traceparent'), c.req.header('x-cloud-trace-context')),
      method: c.req.method,
      path: pathOf(c.req.url),
      reporter,
      unfinished: [],
    }
    c.set('log', log)
    return runInContext(context, async () => {
      try {
        await next()
        refuseUnrouted(c)
      } catch (thrown) {
        // Hono hands only instances of Error to onError
        c.res = answer(thrown, c)
      }
      const status = clientLeft(c) ? 499 : c.res.status
      if (status >= 500) {
        void reportError(c.error ?? new Error(`Answered ${status}`), { status, route: routePath(c, -1) })
      }
      if (context.unfinished.length > 0) await Promise.all(context.unfinished)
      const seconds = (performance.now() - started) / 1000
      const problem = status >= 400 ? describe(c.get('problem')) : undefined
      log[level(status)](
        { httpRequest: httpRequest(c, context.path, status, seconds), problem },
        `${context.method} ${context.path} ${status}`,
      )
    })
  }
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

/** What was wrong, in short. */
function describe(problem: Problem | undefined): string | undefined {
  if (!problem) return undefined
  return [problem.definition.code, ...(problem.options.logged ?? [])].join(' ')
}

function level(status: number): 'error' | 'warn' | 'info' {
  if (status >= 500) return 'error'
  return status >= 400 ? 'warn' : 'info'
}

/** The path as it was sent: Hono's own is decoded, and may hold anything. */
function pathOf(url: string): string {
  return /^\w+:\/\/[^/]*([^?#]*)/.exec(url)?.[1] ?? '/'
}

/** The query is left out: people put passwords and tokens there. */
function httpRequest(c: Context<BaseEnv>, path: string, status: number, seconds: number) {
  const header = (name: string) => c.req.header(name)
  return {
    requestMethod: c.req.method,
    requestUrl: path,
    status,
    latency: `${seconds.toFixed(6)}s`,
    userAgent: header('user-agent')?.slice(0, 256),
    remoteIp: header('x-forwarded-for')?.split(',')[0]?.trim() ?? c.env?.incoming?.socket?.remoteAddress,
    requestSize: header('content-length'),
    responseSize: responseSize(c),
  }
}

/** Of the answer that `write` made the length is known, without a look at its headers. */
function responseSize(c: Context<BaseEnv>): number | undefined {
  const written = c.get('written')
  if (c.res === written?.response) return written.length
  return Number(c.res.headers.get('content-length')) || undefined
}
