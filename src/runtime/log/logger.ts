import { inspect } from 'node:util'
import { type ContextTask, currentRequest } from '../kernel/context.ts'
import type { Trace } from '../kernel/trace.ts'
import { errorFields } from './error-fields.ts'
import { ownFields } from './log-field.ts'
import type { Output } from './output.ts'
import { prettyLine } from './pretty.ts'

/** The severities of Cloud Logging, by the methods of a logger. */
const severities = {
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  fatal: 'CRITICAL',
} as const

type Level = keyof typeof severities

/** Writes a line: `log.info({ fields }, 'message')`, or a message alone. */
export type LogLine = (
  ...line: [message: string] | [fields: Record<string, unknown>, message: string]
) => void

/** A structured logger. Inside a request, its entries carry the trace. */
export type Log = Readonly<Record<Level, LogLine>>

/**
 * Creates a logger. It writes one JSON object per line, in the fields of Cloud Logging; to a terminal it writes readable
 * lines. A field `err` becomes `stack_trace` and `serviceContext`, by which Error Reporting groups errors. Text that
 * looks like a token, or like a password in a URL, is redacted.
 *
 * @param options.level the lowest level that is written; `silent` writes nothing
 * @see https://cloud.google.com/logging/docs/structured-logging
 * @example
 * const log = createLogger({ level: 'info', service: 'orders', output: standardOutput() })
 * log.info({ orderId: order.id }, 'The order was placed')
 */
export function createLogger(options: {
  level: Level | 'silent'
  service: string
  revision?: string | undefined
  project?: string | undefined
  output: Output
}): Log {
  const { level, service, revision, project, output } = options
  const serviceContext = { service, version: revision ?? 'unknown' }
  const levels = Object.keys(severities) as Level[]
  const least = level === 'silent' ? levels.length : levels.indexOf(level)

  function lineAt(level: Level): LogLine {
    const severity = severities[level]
    return (...line) => {
      const [fields, message] = line.length === 1 ? [{}, line[0]] : line
      const time = new Date().toISOString()
      const entry: Record<string, unknown> = { severity, time, message, ...requestFields(project), ...fields }
      if (entry.err !== undefined)
        Object.assign(entry, errorFields(entry.err), { err: undefined, serviceContext })
      const text = `${scrub(serialize(entry))}\n`
      output.write(output.isTTY ? prettyLine(text) : text)
    }
  }

  const lines = levels.map((name, rank) => [name, rank < least ? () => {} : lineAt(name)])
  return Object.fromEntries(lines)
}

/** The fields by which Cloud Logging joins the entries of a trace. */
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
  const { requestId, subject, task } = request
  const labels = {
    ...ownFields(),
    request_id: requestId,
    ...(subject && { subject }),
    ...(task && taskLabels(task, request.trace)),
  }
  return { ...traceFields(request.trace, project), 'logging.googleapis.com/labels': labels }
}

function taskLabels({ name, id, attempt, traceId, outcome }: ContextTask, trace: Trace): object {
  return {
    ...{ task: name, task_id: id },
    ...(attempt !== undefined && { task_attempt: String(attempt) }),
    ...(traceId && traceId !== trace.traceId && { task_trace: traceId }),
    ...(outcome && { task_outcome: outcome }),
  }
}

/** Writes an entry as JSON. Values that JSON cannot hold (a cycle, a BigInt) are written as Node would print them. */
function serialize(entry: Record<string, unknown>): string {
  try {
    return JSON.stringify(entry)
  } catch {
    const shown = Object.entries(entry).map(([key, value]) => [
      key,
      typeof value === 'object' || typeof value === 'bigint' ? inspect(value) : value,
    ])
    return JSON.stringify(Object.fromEntries(shown))
  }
}

const secretKey =
  /"(?:(?:x-serverless-|proxy-)?authorization|(?:set-)?cookie|password|(?:client_?)?secret|(?:x-)?api[-_]?key|(?:access_?|refresh_?|id_?)?token)":/
    .source
const secretParameter = /[?&][\w-]*(?:password|secret|token|signature|api_?key)=/.source
/** Matches a JWT, the credentials after an authentication scheme, a password in a URL, and the value of a secret's key. */
const secrets = new RegExp(
  [
    /(?<![\w-])eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?/.source, // the look-behind keeps the search linear
    /(?<=\b(?:bearer|basic) )[\w.~+/-]{16,}=*/.source,
    /(?<=:\/\/[^\s:@/"]*:)[^\s/"]+(?=@)/.source,
    `(?<=${secretParameter})[^\\s&#"\\\\]+`,
    `(?<=${secretKey})"(?:[^"\\\\]|\\\\.)+"`,
  ].join('|'),
  'gi',
)
/** A cheaper test, which excludes nearly every line. */
const maybeSecret = new RegExp(`eyJ|bearer |basic |://|${secretParameter}|${secretKey}`, 'i')

function scrub(line: string): string {
  if (!maybeSecret.test(line)) return line
  return line.replace(secrets, (found) => (found.startsWith('"') ? '"[redacted]"' : '[redacted]'))
}
