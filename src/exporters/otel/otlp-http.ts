// Its packages are bundled with this one: docs/adr/0011-bundled-otlp.md.
import { OTLPMetricExporter as JsonExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPMetricExporter as ProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import {
  defaultResource,
  detectResources,
  envDetector,
  osDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources'
import {
  AggregationTemporality,
  DataPointType,
  InstrumentType,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import type { MetricsSdk, OtlpPackages, Resources } from './otlp-packages.ts'

const sdk: MetricsSdk = {
  AggregationTemporality,
  DataPointType,
  InstrumentType,
  MeterProvider,
  PeriodicExportingMetricReader,
}
const resources: Resources = {
  defaultResource,
  detectResources,
  envDetector,
  osDetector,
  resourceFromAttributes,
}

/** Send by http/json. */
export const jsonPackages: OtlpPackages = { sdk, resources, OTLPMetricExporter: JsonExporter }

/** Send by http/protobuf. */
export const protobufPackages: OtlpPackages = { sdk, resources, OTLPMetricExporter: ProtobufExporter }
