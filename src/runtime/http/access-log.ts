import { isIP } from 'node:net'
import type { Context } from 'hono'
import { isShed, type Problem } from '../kernel/problem.ts'
import type { Log } from '../log/logger.ts'
import { isClientDisconnected } from './client-disconnect.ts'
import type { BaseEnv } from './env.ts'
import type { StreamEnd } from './follow-stream.ts'
import { stateOf } from './request-state.ts'
import { bodyLength } from './response.ts'

/** What the log entry of a request needs beside the request itself. */
export interface FinishedRequest {
  /** The path as it was sent. */
  readonly path: string
  /** Milliseconds, as `performance.now()` counts them. */
  readonly started: number
  /** How the response ended, if it was a stream. */
  readonly end?: StreamEnd
}

/**
 * Creates the writer of the log entry that each request has. The status is 499 if the client disconnected. If the source
 * of a stream failed, the entry is an error, whatever the status.
 *
 * @param options.trustedProxies how many proxies append to `X-Forwarded-For`: see `remoteIp`
 */
export function accessLog(options: { log: Log; trustedProxies: number }) {
  const { log, trustedProxies } = options
  return function writeAccessLog(c: Context<BaseEnv>, { path, started, end }: FinishedRequest): void {
    const { method } = c.req
    const status = statusOf(c, end)
    const seconds = (performance.now() - started) / 1000
    const header = (name: string) => c.req.header(name)
    const httpRequest = {
      requestMethod: method,
      requestUrl: path, // without the query, which may contain passwords and tokens
      status,
      latency: `${seconds.toFixed(6)}s`,
      userAgent: header('user-agent')?.slice(0, 256),
      remoteIp: remoteIp(header('x-forwarded-for'), trustedProxies) ?? c.env?.incoming?.socket?.remoteAddress,
      requestSize: header('content-length'),
      responseSize: end ? end.bytes : bodyLength(c) || undefined,
    }
    const { problem: refused, route } = stateOf(c)
    const problem = status >= 400 ? describe(refused) : undefined
    const message = `${method} ${path} ${status}`
    const fields = { httpRequest, route, stream: end && true } // the latency of a stream says how long somebody listened
    if (end?.error !== undefined)
      log.error({ err: end.error, ...fields }, `${message}, cut off: its stream failed`)
    else if (end?.stopReason) log.warn(fields, `${message}, ended by the service: ${end.stopReason}`)
    else log[level(status, refused)]({ ...fields, problem }, message)
  }
}

/** The status of the response; 499 if the client disconnected before the response was complete. */
export function statusOf(c: Context<BaseEnv>, end?: StreamEnd): number {
  return end ? (end.disconnected ? 499 : c.res.status) : isClientDisconnected(c) ? 499 : c.res.status
}

/**
 * The caller's address, as the outermost trusted proxy saw it. Each proxy appends the address that called it. Addresses
 * before those of the trusted proxies come from the caller and prove nothing.
 *
 * @param forwardedFor the header `X-Forwarded-For`
 * @param trustedProxies 1 for Cloud Run alone; 2 behind an external load balancer, which appends the caller's address
 *   and then its own; 0 if there is no proxy
 * @see https://cloud.google.com/load-balancing/docs/https#x-forwarded-for_header
 */
export function remoteIp(forwardedFor: string | undefined, trustedProxies: number): string | undefined {
  if (!forwardedFor || trustedProxies === 0) return undefined
  const address = forwardedFor.split(',').at(-trustedProxies)?.trim()
  return address && isIP(address) ? address : undefined
}

/** The problem's code, with what it adds for the log. */
function describe(problem: Problem | undefined): string | undefined {
  if (!problem) return undefined
  return [problem.definition.code, ...(problem.options.logged ?? [])].join(' ')
}

function level(status: number, problem: Problem | undefined): 'error' | 'warn' | 'info' {
  if (status >= 500 && !isShed(problem)) return 'error'
  return status >= 400 ? 'warn' : 'info'
}
