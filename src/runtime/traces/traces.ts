import type { Config } from '../config/config.ts'
import type { Version } from '../config/version.ts'
import type { RequestContext } from '../kernel/context.ts'
import { lazily } from '../kernel/lazily.ts'
import type { Log } from '../log/logger.ts'
import type { Exporter } from './exporter.ts'
import type { Arrival, Recording } from './tracer.ts'

/** Records the spans of requests, and sends them inside later ones. */
export interface Traces {
  /**
   * Starts the span of a request: its queries and calls are below it from now on.
   *
   * @returns `undefined` if the code of traces cannot be loaded. The request goes on without a span
   */
  start(context: RequestContext, arrival: Arrival): Promise<Recording | undefined>
  /** Sends what is left, before the process ends. */
  flush(): Promise<void>
}

/** The process ends a second after its last request. */
const flushMs = 800

/**
 * Creates the traces, if OTEL_EXPORTER_OTLP_ENDPOINT is set. Their code is loaded by the first request.
 *
 * @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 * @example
 * const traces = createTraces({ config, version: describeVersion(config), log })
 * app.use(requestContext({ log, reporter: {}, respond, stopping, trustedProxies: 0, traces }))
 */
export function createTraces(options: { config: Config; version: Version; log: Log }): Traces | undefined {
  const { config, version, log } = options
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT
  if (!endpoint) return undefined
  let exporter: Exporter | undefined

  const load = lazily(async () => {
    const [{ createTracer }, { createExporter }] = await Promise.all([
      import('./tracer.ts'),
      import('./exporter.ts'),
    ])
    exporter = createExporter({
      ...{ log, resource: resourceOf(config, version), delayMs: config.OTEL_BSP_SCHEDULE_DELAY },
      url: `${endpoint?.replace(/\/+$/, '')}/v1/traces`,
      headers: config.OTEL_EXPORTER_OTLP_HEADERS ?? {},
      metadataHost: config.GCE_METADATA_HOST,
    })
    return createTracer({ exporter, always: config.OTEL_TRACES_SAMPLER === 'always_on' })
  })

  let told = false
  function tell(error: unknown): undefined {
    if (!told) log.warn({ err: error }, 'The code of traces could not be loaded; requests go on without them')
    told = true
  }

  return {
    async start(context, arrival) {
      const record = await load().catch(tell)
      const recording = record?.(context, arrival)
      if (!recording) return undefined
      Object.assign(context, { trace: recording.span.trace, span: recording.span })
      return recording
    },
    flush: async () => exporter?.flush(flushMs),
  }
}

/** @see https://opentelemetry.io/docs/specs/semconv/resource/ */
function resourceOf(config: Config, { service, revision, version, environment }: Version) {
  const project = config.GOOGLE_CLOUD_PROJECT
  return {
    'service.name': config.OTEL_SERVICE_NAME ?? service,
    'service.version': version,
    'deployment.environment.name': environment,
    ...(config.K_SERVICE && {
      'cloud.provider': 'gcp',
      'cloud.platform': 'gcp.cloud_run',
      'faas.name': service,
      'faas.version': revision,
    }),
    'gcp.project_id': project,
    'cloud.account.id': project,
  }
}
