import { randomUUID } from 'node:crypto'
import { type ServerResponse, STATUS_CODES } from 'node:http'
import { runInContext } from '../kernel/context.ts'
import type { ProblemDefinition } from '../kernel/problem.ts'
import type { Log } from '../log/logger.ts'
import type { ProblemFormat } from './problem-format.ts'
import { putHeader } from './response-headers.ts'

/** Writes problems for requests that do not reach the app. Each is an entry in the log. */
export interface ServerProblems {
  asResponse(definition: ProblemDefinition): Response
  /** Responds to a request of Node's, and closes its connection. */
  send(outgoing: ServerResponse, definition: ProblemDefinition): void
  /** The text of a whole response, after which the connection ends. */
  asText(definition: ProblemDefinition, extra: Record<string, string>): string
}

/**
 * Creates the writer of the problems that the server itself responds with, instead of the app.
 *
 * @param everywhere the service's own headers of every response
 */
export function serverProblems(
  format: ProblemFormat,
  log: Log,
  everywhere: Readonly<Record<string, string>>,
): ServerProblems {
  function refusal(definition: ProblemDefinition, extra: Record<string, string>) {
    const requestId = randomUUID()
    const traceId = requestId.replaceAll('-', '')
    const empty = { detail: undefined, userMessage: undefined, errors: undefined }
    const body = JSON.stringify(format.format({ ...definition, ...empty, instance: '', traceId }))
    const own = {
      'Content-Type': format.contentType,
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Request-Id': requestId,
      ...extra,
    }
    const headers: Record<string, string> = { ...everywhere }
    for (const [name, value] of Object.entries(own)) putHeader(headers, name, value)
    const trace = { traceId, spanId: undefined, sampled: false }
    runInContext(
      {
        requestId,
        trace,
        method: '',
        path: '',
        reporter: {},
        values: new Map(),
        pendingWork: [],
        outgoingCalls: [],
      },
      () => log.warn({ httpRequest: { status: definition.status } }, `Refused: ${definition.title}`),
    )
    return { body, headers }
  }

  return {
    asResponse(definition: ProblemDefinition): Response {
      const { body, headers } = refusal(definition, {})
      return new Response(body, { status: definition.status, headers })
    },
    send(outgoing: ServerResponse, definition: ProblemDefinition): void {
      const { body, headers } = refusal(definition, { Connection: 'close' })
      outgoing.writeHead(definition.status, headers).end(body)
    },
    asText(definition: ProblemDefinition, extra: Record<string, string>): string {
      const { body, headers } = refusal(definition, { ...extra, Connection: 'close' })
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      return `HTTP/1.1 ${definition.status} ${STATUS_CODES[definition.status]}\r\n${lines.join('')}\r\n${body}`
    },
  }
}
