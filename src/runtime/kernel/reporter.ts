/** What a report says of the request that it belongs to. */
export interface ReportContext {
  readonly requestId?: string
  readonly traceId?: string
  readonly method?: string
  readonly path?: string
  readonly subject?: string | undefined
  readonly [key: string]: unknown
}

/** A fork's own error service; both may be asynchronous. What they throw changes no answer. */
export interface Reporter {
  error?: (error: unknown, context: ReportContext) => unknown
  warning?: (title: string, data: Record<string, unknown>, context: ReportContext) => unknown
}
