const colours: Record<string, number> = { DEBUG: 90, INFO: 36, WARNING: 33, ERROR: 31, CRITICAL: 35 }
const hidden = new Set([
  'severity',
  'time',
  'message',
  'httpRequest',
  'problem',
  'route',
  'stream',
  'stack_trace',
  'serviceContext',
])

/**
 * Formats a log entry for a terminal: time, severity, message, some fields, the stack.
 *
 * @param line a log entry in JSON, with its line end
 * @example
 * prettyLine('{"severity":"INFO","message":"Started"}\n').includes('Started') // → true
 */
export function prettyLine(line: string): string {
  const entry = JSON.parse(line) as Record<string, unknown>
  const {
    severity = 'DEFAULT',
    time = '',
    message = '',
    httpRequest,
    problem = '',
    stack_trace: stack,
  } = entry
  const fields = Object.entries(entry)
    .filter(([key]) => !hidden.has(key) && !key.startsWith('logging.googleapis.com/'))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  const latency = (httpRequest as { latency?: string } | undefined)?.latency
  const head = `${String(time).slice(11, 23)} ${paint(String(severity))} ${[message, problem].filter(Boolean).join(' ')}`
  const rest = [...(latency ? [latency] : []), ...fields].map((field) => ` ${dim(field)}`).join('')
  return `${head}${rest}\n${stack ? `${dim(String(stack))}\n` : ''}`
}

function paint(severity: string): string {
  return `\u001b[${colours[severity] ?? 0}m${severity.padEnd(8)}\u001b[0m`
}

function dim(text: string): string {
  return `\u001b[2m${text}\u001b[0m`
}
