/** The request that a report belongs to. */
export interface ReportContext {
  readonly requestId?: string
  readonly traceId?: string
  readonly method?: string
  readonly path?: string
  readonly subject?: string | undefined
  readonly [key: string]: unknown
}

/** Sends reports to an error service of your own. Both functions may be asynchronous. What they throw changes no response. */
export interface Reporter {
  error?: (error: unknown, context: ReportContext) => unknown
  warning?: (title: string, data: Record<string, unknown>, context: ReportContext) => unknown
}
