/**
 * OpenTelemetry's variables on traces that the service does not follow, with the values that change nothing. To ignore
 * another value would send spans elsewhere, in another form or in spite of it.
 *
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
const harmless: Readonly<Record<string, readonly string[]>> = {
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: [],
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: [],
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: ['http/protobuf'],
  OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: ['none'],
  OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: [],
  OTEL_EXPORTER_OTLP_PROTOCOL: ['http/protobuf'],
  OTEL_EXPORTER_OTLP_COMPRESSION: ['none'],
  OTEL_EXPORTER_OTLP_CERTIFICATE: [],
  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: [],
  OTEL_RESOURCE_ATTRIBUTES: [],
  OTEL_TRACES_EXPORTER: ['otlp'],
  OTEL_SDK_DISABLED: ['false'],
}

/** What to do instead, where it is not plain. */
const instead: Readonly<Record<string, string>> = {
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'set OTEL_EXPORTER_OTLP_ENDPOINT, without /v1/traces',
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'set OTEL_EXPORTER_OTLP_HEADERS',
  OTEL_TRACES_EXPORTER: 'to send no traces, unset OTEL_EXPORTER_OTLP_ENDPOINT',
  OTEL_SDK_DISABLED: 'to send no traces, unset OTEL_EXPORTER_OTLP_ENDPOINT',
}

/**
 * Finds the variables of OpenTelemetry that ask for what the service does not do. Without an endpoint there are no traces,
 * and nothing is wrong, unless an endpoint was given under the other name.
 *
 * @param set the variables that are set, unparsed
 * @returns one line for each. It starts with the variable's name
 */
export function otherOtel(set: Record<string, string | undefined>): string[] {
  if (!set.OTEL_EXPORTER_OTLP_ENDPOINT && !set.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) return []
  return Object.entries(harmless)
    .filter(([name, values]) => set[name] && !values.includes(set[name]))
    .map(([name, values]) => {
      const right = values.length > 0 ? `${values[0]} or unset` : 'unset'
      return `${name}: must be ${right}, the service has nothing else: ${instead[name] ?? 'see docs/operating.md#traces'}`
    })
}
