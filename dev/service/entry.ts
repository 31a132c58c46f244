/** A log entry of the service, as far as `npm run dev` reads it. */
export interface Entry {
  readonly severity: string
  readonly time: string
  readonly message: string
  readonly trace: string | undefined
  readonly labels: Readonly<Record<string, string>>
  /** The request that it is about, if it is the one entry that each request has. */
  readonly request?: { method: string; path: string; status: number; seconds: number; userAgent: string }
  readonly problem?: string
  readonly stack?: string
  /** The values of the configuration, by name, if it is the entry of the start. */
  readonly configuration?: Readonly<Record<string, unknown>>
}

/** Reads a line that the service has printed. Returns `undefined` for anything but a log entry. */
export function parseEntry(line: string): Entry | undefined {
  const entry = parseObject(line)
  if (!entry || typeof entry.severity !== 'string') return undefined
  const { severity, time = '', message = '', httpRequest, problem, stack_trace: stack, configuration } = entry
  const labels = entry['logging.googleapis.com/labels']
  const trace = entry['logging.googleapis.com/trace']
  const request = isObject(httpRequest) ? requestOf(httpRequest) : undefined
  return {
    ...{ severity, time: `${time}`, message: `${message}` },
    trace: typeof trace === 'string' ? trace.replace(/^projects\/[^/]+\/traces\//, '') : undefined,
    labels: isObject(labels) ? (labels as Record<string, string>) : {},
    ...(request && { request }),
    ...(typeof problem === 'string' && { problem }),
    ...(typeof stack === 'string' && { stack }),
    ...(isObject(configuration) && { configuration }),
  }
}

function requestOf(httpRequest: Record<string, unknown>): Entry['request'] {
  const { requestMethod: method, requestUrl: path, status, latency, userAgent = '' } = httpRequest
  const seconds = Number.parseFloat(`${latency}`)
  if (typeof method !== 'string' || typeof path !== 'string' || typeof status !== 'number') return undefined
  return { method, path, status, seconds, userAgent: `${userAgent}` }
}

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(line)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
