/** An entry of Cloud Logging, as far as filters look at it. */
export interface LogEntry {
  readonly resource: { readonly type: string; readonly labels: Readonly<Record<string, string>> }
  readonly logName: string
  readonly severity: string
  readonly timestamp: string
  readonly trace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly httpRequest?: Readonly<Record<string, unknown>>
  readonly textPayload?: string
  readonly jsonPayload?: Readonly<Record<string, unknown>>
}

/** The service whose lines are read. */
export const place = { project: 'my-project', service: 'runway-live', region: 'europe-west1' }

const prefix = 'logging.googleapis.com/'

/**
 * What Cloud Run makes of a line on the standard output. Fields of Cloud Logging's own leave the payload. If the message is
 * all that is left, it becomes the text of the entry.
 *
 * @see https://cloud.google.com/logging/docs/structured-logging#structured_logging_special_fields
 */
export function toLogEntry(line: string): LogEntry {
  const { severity, time, httpRequest, ...rest } = JSON.parse(line) as Record<string, unknown>
  const payload = Object.fromEntries(Object.entries(rest).filter(([key]) => !key.startsWith(prefix)))
  const isText = Object.keys(payload).join() === 'message'
  return {
    ...entryOf('stdout', `${severity}`, `${time}`),
    labels: (rest[`${prefix}labels`] ?? {}) as Record<string, string>,
    ...(typeof rest[`${prefix}trace`] === 'string' && { trace: rest[`${prefix}trace`] as string }),
    ...(httpRequest !== undefined && { httpRequest: httpRequest as Record<string, unknown> }),
    ...(isText ? { textPayload: `${payload.message}` } : { jsonPayload: payload }),
  }
}

/** A line that Cloud Run itself writes about an instance. */
export function systemEntry(textPayload: string, severity = 'ERROR'): LogEntry {
  return { ...entryOf('varlog/system', severity, new Date().toISOString()), textPayload }
}

function entryOf(log: string, severity: string, timestamp: string): LogEntry {
  const { project, service, region } = place
  const labels = {
    project_id: project,
    service_name: service,
    revision_name: `${service}-1`,
    location: region,
  }
  return {
    resource: { type: 'cloud_run_revision', labels },
    logName: `projects/${project}/logs/${encodeURIComponent(`run.googleapis.com/${log}`)}`,
    ...{ severity, timestamp },
  }
}
