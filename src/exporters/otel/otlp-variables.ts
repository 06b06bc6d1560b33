/** What the standard variables say that the packages of OpenTelemetry leave to whoever puts them together. */
export interface OtlpVariables {
  readonly isDisabled: boolean
  readonly protocol: OtlpProtocol
  /** Between two exports, in milliseconds; `undefined` where it is not said. */
  readonly intervalMs: number | undefined
  /** For one export. */
  readonly exportTimeoutMs: number | undefined
  /** Whether they say how long a request may take. */
  readonly hasTimeout: boolean
}

/** How metrics are sent. */
export type OtlpProtocol = (typeof protocols)[number]

const protocols = ['http/protobuf', 'http/json', 'grpc'] as const

/**
 * Reads those variables. Endpoint, headers, compression, certificates, timeout and temporality are read by the exporters, and the attributes of
 * the resource by `@opentelemetry/resources`.
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 * @throws Error where the protocol is none
 */
export function readOtlpVariables(environment: Readonly<NodeJS.ProcessEnv>): OtlpVariables {
  // The specification: an empty value is none.
  const text = (name: string): string | undefined => environment[name]?.trim() || undefined
  return {
    isDisabled: text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true',
    protocol: protocolOf(text),
    intervalMs: milliseconds(text('OTEL_METRIC_EXPORT_INTERVAL')),
    exportTimeoutMs: milliseconds(text('OTEL_METRIC_EXPORT_TIMEOUT')),
    hasTimeout:
      (text('OTEL_EXPORTER_OTLP_METRICS_TIMEOUT') ?? text('OTEL_EXPORTER_OTLP_TIMEOUT')) !== undefined,
  }
}

function protocolOf(text: (name: string) => string | undefined): OtlpProtocol {
  const names = ['OTEL_EXPORTER_OTLP_METRICS_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL']
  const name = names.find((candidate) => text(candidate) !== undefined)
  const given = name === undefined ? 'http/protobuf' : text(name)
  const protocol = protocols.find((known) => known === given)
  if (protocol === undefined) {
    throw new Error(`${name}: expected one of ${protocols.join(', ')}, but it is ${JSON.stringify(given)}`)
  }
  return protocol
}

/** The specification: what is no number is passed over, as if it were not given. */
function milliseconds(text: string | undefined): number | undefined {
  const number = text === undefined ? Number.NaN : Number(text)
  return Number.isInteger(number) && number > 0 ? number : undefined
}
