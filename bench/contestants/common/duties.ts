import { randomUUID } from 'node:crypto'

/** The headers of every response, as the service sends them. */
export const browserHeaders = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
}

/** Where a request came over https. */
export const hsts = 'max-age=31536000'

type Header = string | string[] | undefined

/** The caller's own request id if it is harmless in a log, else a new one. */
export function requestIdOf(given: Header): string {
  return typeof given === 'string' && /^[\w=-]{1,255}$/.test(given) ? given : randomUUID()
}

/** The trace of W3C's `traceparent`, or a new one. */
export function traceOf(given: Header): { traceId: string; spanId: string | undefined; sampled: boolean } {
  const match = typeof given === 'string' && /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/.exec(given)
  if (!match) return { traceId: randomUUID().replaceAll('-', ''), spanId: undefined, sampled: false }
  const [, traceId = '', spanId, flags = '00'] = match
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

/** The caller's address as Cloud Run's front end saw it. */
export function remoteIp(forwardedFor: Header, socketAddress: string | undefined): string | undefined {
  return (typeof forwardedFor === 'string' && forwardedFor.split(',').at(-1)?.trim()) || socketAddress
}

/** The fields of a request's log line, as Cloud Logging reads them. */
export function logFields(request: {
  method: string
  path: string
  status: number
  ms: number
  headers: NodeJS.Dict<string | string[]>
  address: string | undefined
  bytes: number | string | undefined
  trace: ReturnType<typeof traceOf>
  requestId: string
  subject: string | undefined
}) {
  const { method, path, status, headers, trace } = request
  return {
    'logging.googleapis.com/trace': trace.traceId,
    ...(trace.spanId && { 'logging.googleapis.com/spanId': trace.spanId }),
    'logging.googleapis.com/trace_sampled': trace.sampled,
    'logging.googleapis.com/labels': { request_id: request.requestId, subject: request.subject },
    httpRequest: {
      requestMethod: method,
      requestUrl: path,
      status,
      latency: `${(request.ms / 1000).toFixed(6)}s`,
      userAgent: headers['user-agent'],
      remoteIp: remoteIp(headers['x-forwarded-for'], request.address),
      requestSize: headers['content-length'],
      responseSize: request.bytes,
    },
  }
}

/** Cloud Logging's severity of a response. */
export function severityOf(status: number): 'INFO' | 'WARNING' | 'ERROR' {
  return status >= 500 ? 'ERROR' : status >= 400 ? 'WARNING' : 'INFO'
}

const titles = {
  ORDER_NOT_FOUND: [404, 'There is no such order'],
  VALIDATION_FAILED: [400, 'The request does not fit the contract'],
  TOKEN_MISSING: [401, 'A token is required'],
  TOKEN_INVALID: [401, 'The token is not valid'],
  SCOPE_MISSING: [403, 'The token lacks a scope'],
  NOT_FOUND: [404, 'There is no such route'],
  INTERNAL: [500, 'Something went wrong'],
} as const

/** The problems that a contestant responds with. */
export type Code = keyof typeof titles

/** A problem (RFC 9457) with its code and trace id. */
export function problem(code: Code, instance: string, traceId: string, detail?: string, errors?: unknown[]) {
  const [status, title] = titles[code]
  const type = `urn:problem:${code.toLowerCase().replaceAll('_', '-')}`
  return { type, title, status, detail, instance, code, traceId, errors }
}

/** What a 401 says in `WWW-Authenticate`; `undefined` for other problems. */
export function challengeOf(code: Code): string | undefined {
  if (code === 'TOKEN_MISSING') return 'Bearer'
  if (code === 'TOKEN_INVALID')
    return 'Bearer error="invalid_token", error_description="The token is not valid"'
  return undefined
}
