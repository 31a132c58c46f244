import { z } from '@hono/zod-openapi'
import type { CrossOriginNames } from '../http/cross-origin.ts'
import type { ResponseHeaders } from '../http/response-headers.ts'
import { apiKeysOf } from './api-keys.ts'
import type { Mounted } from './start-checks.ts'

/**
 * The headers that browsers may send and read: those that the routes declare, and the runtime's own.
 *
 * @param everywhere the service's own headers of every response
 * @example
 * crossOriginNames(mounted).response // such as ['X-Request-Id', 'Retry-After', 'ETag']
 */
export function crossOriginNames(
  mounted: readonly Mounted[],
  everywhere: ResponseHeaders = {},
): CrossOriginNames {
  const routes = mounted.flatMap(({ operation, feature }) =>
    operation.kind === 'contract' && !feature.internal ? [operation.route] : [],
  )
  const idempotent = routes.some((route) => route.idempotent)
  const responses = routes.flatMap((route) => Object.values(route.responses))
  const taken = routes.flatMap(({ request }) => namesOf(request?.headers))
  const sent = responses.flatMap((response) => namesOf(response.headers))
  return {
    request: unique([
      ...['Authorization', 'Content-Type', 'traceparent', 'tracestate', 'X-Request-Id'],
      ...(idempotent ? ['Idempotency-Key'] : []),
      ...apiKeysOf(mounted).map(({ header }) => header),
      ...taken,
    ]),
    response: unique([
      ...['X-Request-Id', 'Retry-After', 'WWW-Authenticate'],
      ...(idempotent ? ['Idempotency-Replayed'] : []),
      ...sent,
      ...Object.keys(everywhere),
    ]),
  }
}

function namesOf(headers: unknown): string[] {
  return Object.keys(headers instanceof z.ZodObject ? headers.def.shape : (headers ?? {}))
}

/** The names without duplicates, ignoring case. */
function unique(names: readonly string[]): string[] {
  const small = names.map((name) => name.toLowerCase())
  return names.filter((_name, index) => small.indexOf(small[index] ?? '') === index)
}
