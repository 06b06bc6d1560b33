export { carbonTelemetry, type CarbonTelemetryOptions } from './carbon-telemetry.ts'
export type { TelemetryJobFacts } from './telemetry-job.ts'
export type {
  Attributes,
  AttributeValue,
  ContextManager,
  Counter,
  Exception,
  Meter,
  MetricOptions,
  Recorder,
  Span,
  Telemetry,
  Time,
  Tracer,
} from './telemetry.ts'
export { withCarbon, type BullJob, type CarbonProcessorOptions } from './with-carbon.ts'
