import { type Logger, pino } from 'pino'
import { currentRequest } from './context.ts'
import { errorFields } from './error-fields.ts'
import type { Output } from './output.ts'
import { prettyLine } from './pretty.ts'
import type { Trace } from './trace.ts'

/** A structured logger: `log.info({ fields }, 'message')`. Inside a request its lines carry the trace. */
export type Log = Logger

const severities: Record<string, string> = {
  trace: 'DEBUG',
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  fatal: 'CRITICAL',
}

/**
 * A logger that writes one JSON object a line in Cloud Logging's own fields, or a readable line where the
 * output is a terminal. An `err` among the fields becomes `stack_trace` and `serviceContext`, which Error
 * Reporting groups. What looks like a token or a password in a URL never leaves the process.
 *
 * @see https://cloud.google.com/logging/docs/structured-logging
 */
export function createLogger(options: {
  level: string
  service: string
  revision?: string | undefined
  project?: string | undefined
  output: Output
}): Log {
  const { level, service, revision, project, output } = options
  const serviceContext = { service, version: revision ?? 'unknown' }
  return pino(
    {
      level,
      messageKey: 'message',
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: {
        level: (label) => ({ severity: severities[label] ?? 'DEFAULT' }),
        log: (fields) => ('err' in fields ? withError(fields, serviceContext) : fields),
      },
      mixin: () => requestFields(project),
    },
    { write: (line: string) => output.write(output.isTTY ? prettyLine(scrub(line)) : scrub(line)) },
  )
}

/** Cloud Logging's names for a trace, so that its lines are shown below the request. */
export function traceFields(trace: Trace, project: string | undefined): Record<string, unknown> {
  return {
    'logging.googleapis.com/trace': project ? `projects/${project}/traces/${trace.traceId}` : trace.traceId,
    ...(trace.spanId && { 'logging.googleapis.com/spanId': trace.spanId }),
    'logging.googleapis.com/trace_sampled': trace.sampled,
  }
}

function requestFields(project: string | undefined): Record<string, unknown> {
  const request = currentRequest()
  if (!request) return {}
  const labels = { request_id: request.requestId, ...(request.subject && { subject: request.subject }) }
  return { ...traceFields(request.trace, project), 'logging.googleapis.com/labels': labels }
}

function withError(
  { err, ...fields }: Record<string, unknown>,
  serviceContext: object,
): Record<string, unknown> {
  return { ...fields, ...errorFields(err), serviceContext }
}

/** A JWT; the password of a URL; the value of a key whose name says that it is a secret. */
const secrets =
  /\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?|(?<=:\/\/[^\s:@/"]*:)[^\s@/"]+(?=@)|(?<="(?:authorization|cookie|set-cookie|password|secret|token)":)"(?:[^"\\]|\\.)+"/gi

function scrub(line: string): string {
  return line.replace(secrets, (found) => (found.startsWith('"') ? '"[redacted]"' : '[redacted]'))
}
