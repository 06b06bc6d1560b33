import type { Agent } from 'node:http'
import type * as resources from '@opentelemetry/resources'
import type * as sdkMetrics from '@opentelemetry/sdk-metrics'
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics'
import type { OtlpProtocol } from './otlp-variables.ts'

/** What of OpenTelemetry's packages makes resources. */
export type Resources = Pick<
  typeof resources,
  'defaultResource' | 'resourceFromAttributes' | 'detectResources' | 'envDetector' | 'osDetector'
>

/** What of them makes points of instruments. */
export type MetricsSdk = Pick<
  typeof sdkMetrics,
  | 'MeterProvider'
  | 'DataPointType'
  | 'PeriodicExportingMetricReader'
  | 'AggregationTemporality'
  | 'InstrumentType'
>

/** What of them sends metrics by one protocol. */
export interface OtlpPackages {
  readonly sdk: MetricsSdk
  readonly resources: Resources
  readonly OTLPMetricExporter: new (settings: OtlpExporterSettings) => PushMetricExporter
}

/** What is said to an exporter; the standard variables say the rest. That of gRPC knows the timeout alone. */
export interface OtlpExporterSettings {
  /** For a request with its repetitions. */
  readonly timeoutMillis?: number
  readonly httpAgentOptions?: (protocol: string) => Promise<Agent>
  readonly url?: string
  readonly headers?: Record<string, string>
}

/**
 * Loads what sends by a protocol: for HTTP it is part of this package, for gRPC programs have it where they want it.
 * @throws Error that says how to install it where it is not there
 */
export async function loadOtlpPackages(protocol: OtlpProtocol): Promise<OtlpPackages> {
  if (protocol === 'grpc') return (await import('./otlp-grpc.ts')).loadGrpcPackages()
  const { jsonPackages, protobufPackages } = await import('./otlp-http.ts')
  return protocol === 'http/json' ? jsonPackages : protobufPackages
}
