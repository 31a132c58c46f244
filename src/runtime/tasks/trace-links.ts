import type { Config } from '../config/config.ts'

/** Templates of URLs about a trace: `{trace}` is its id, `{from}` and `{to}` are times in ISO 8601. */
export interface TraceLinks {
  readonly logs?: string
  readonly trace?: string
}

/**
 * Where the log lines of a trace are shown, and its spans: TRACE_LOGS_URL, or else Google's own pages if there is a project.
 *
 * @see https://cloud.google.com/logging/docs/view/logs-explorer-interface
 */
export function traceLinks(config: Config & { readonly TRACE_LOGS_URL?: string | undefined }): TraceLinks {
  const { GOOGLE_CLOUD_PROJECT: project, TRACE_LOGS_URL: logs } = config
  if (!project) return logs ? { logs } : {}
  const console = 'https://console.cloud.google.com'
  const name = encodeURIComponent(project)
  const query = `trace%3D%22projects%2F${name}%2Ftraces%2F{trace}%22`
  return {
    logs: logs ?? `${console}/logs/query;query=${query};timeRange={from}%2F{to}?project=${name}`,
    trace: `${console}/traces/list?project=${name}&tid={trace}`,
  }
}
