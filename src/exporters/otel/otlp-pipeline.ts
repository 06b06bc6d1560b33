import type * as sdkMetrics from '@opentelemetry/sdk-metrics'
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics'
import type { MeterProvider } from './meter-provider.ts'
import { loadNeeded } from './needed-package.ts'
import type { OtlpProtocol, OtlpVariables } from './otlp-variables.ts'
import { runResource, type RunResourceOptions } from './run-resource.ts'

/** From instruments to a collector. */
export interface OtlpPipeline {
  readonly provider: MeterProvider
  /** Sends what there is. */
  flush(): Promise<void>
  /** Sends what there is for the last time. */
  shutdown(): Promise<void>
  /** Why the last export failed, if it did. */
  failure(): Error | undefined
}

/**
 * How long a request and its repetitions may take where no variable says so, in milliseconds. The 10 s of the specification are longer than a run waits
 * for an output at its end.
 */
const usualTimeoutMs = 4000

/** Puts a provider of our own together, which nobody else sees: the global one stays whose it is. */
export async function openOtlpPipeline(
  variables: OtlpVariables,
  options: RunResourceOptions,
): Promise<OtlpPipeline> {
  const { protocol, intervalMs, exportTimeoutMs, hasTimeout } = variables
  const needed = <Package>(load: () => Promise<Package>): Promise<Package> =>
    loadNeeded(load, [...commonPackages, exporters[protocol].install])
  const [sdk, resources, { OTLPMetricExporter }] = await Promise.all([
    needed(async () => import('@opentelemetry/sdk-metrics')),
    needed(async () => import('@opentelemetry/resources')),
    needed<ExporterPackage>(exporters[protocol].load),
  ])
  const exporter = new OTLPMetricExporter(hasTimeout ? {} : { timeoutMillis: usualTimeoutMs })
  const failure = watch(exporter)
  forgetGauges(exporter, sdk)
  const provider = new sdk.MeterProvider({
    resource: runResource(resources, options),
    readers: [
      new sdk.PeriodicExportingMetricReader({
        exporter,
        ...(intervalMs === undefined ? {} : { exportIntervalMillis: intervalMs }),
        // It throws where both are given and the timeout is the longer one.
        ...(exportTimeoutMs === undefined
          ? {}
          : { exportTimeoutMillis: Math.min(exportTimeoutMs, intervalMs ?? exportTimeoutMs) }),
      }),
    ],
  })
  return {
    provider,
    flush: () => provider.forceFlush(),
    shutdown: () => provider.shutdown(),
    failure,
  }
}

interface ExporterPackage {
  readonly OTLPMetricExporter: new (options: { timeoutMillis?: number }) => PushMetricExporter
}

// Of the line that runs on every Node that this package runs on: 3.x needs Node 22.15.
const commonPackages = ['@opentelemetry/sdk-metrics@2', '@opentelemetry/resources@2']

const exporters: Readonly<
  Record<OtlpProtocol, { readonly install: string; readonly load: () => Promise<ExporterPackage> }>
> = {
  'http/protobuf': {
    install: '@opentelemetry/exporter-metrics-otlp-proto@0.223',
    load: async () => import('@opentelemetry/exporter-metrics-otlp-proto'),
  },
  'http/json': {
    install: '@opentelemetry/exporter-metrics-otlp-http@0.223',
    load: async () => import('@opentelemetry/exporter-metrics-otlp-http'),
  },
  grpc: {
    install: '@opentelemetry/exporter-metrics-otlp-grpc@0.223',
    load: async () => import('@opentelemetry/exporter-metrics-otlp-grpc'),
  },
}

/** `ExportResultCode.SUCCESS` of `@opentelemetry/core`. */
const succeeded = 0

/** The reader tells nobody but the program's own diagnostics of an export that failed: listens on the way. */
function watch(exporter: PushMetricExporter): () => Error | undefined {
  let failure: Error | undefined
  const send = exporter.export.bind(exporter)
  exporter.export = (metrics, done) => {
    send(metrics, (result) => {
      const code: number = result.code
      failure = code === succeeded ? undefined : (result.error ?? new Error('no reason given'))
      done(result)
    })
  }
  return () => failure
}

/**
 * Where points are cumulative the SDK sends every series for ever, also a power that nobody has told any more since its source failed. Gauges have
 * no temporality on the wire, and of those with differences it sends what was observed.
 * https://github.com/open-telemetry/opentelemetry-js/blob/main/packages/sdk-metrics/src/state/TemporalMetricProcessor.ts
 */
function forgetGauges(
  exporter: PushMetricExporter,
  { AggregationTemporality, InstrumentType }: typeof sdkMetrics,
): void {
  const select = exporter.selectAggregationTemporality?.bind(exporter)
  exporter.selectAggregationTemporality = (type) =>
    type === InstrumentType.OBSERVABLE_GAUGE
      ? AggregationTemporality.DELTA
      : (select?.(type) ?? AggregationTemporality.CUMULATIVE)
}
