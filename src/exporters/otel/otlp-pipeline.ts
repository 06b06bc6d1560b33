import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics'
import type { MeterProvider } from './meter-provider.ts'
import { createOtlpAgent } from './otlp-agent.ts'
import { loadOtlpPackages, type MetricsSdk, type OtlpPackages } from './otlp-packages.ts'
import { createStartTimes } from './start-times.ts'
import type { OtlpVariables } from './otlp-variables.ts'

type Resource = ResourceMetrics['resource']

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

/** What a pipeline is put together from. */
export interface OtlpPipelineOptions {
  readonly variables: OtlpVariables
  /** What the figures are of; asked at each export, since a run learns where it is while it goes on. */
  readonly resource: (packages: OtlpPackages) => () => Resource
  /** When the series of a metric begin, in milliseconds since 1970. */
  readonly begunMs: (metricName: string) => number
  /** Where to send, where it is not the variables that say so. */
  readonly destination?: Destination | undefined
}

/** A collector that is told by itself. */
export interface Destination {
  readonly url: string
  readonly headers: Record<string, string>
}

/**
 * How long a request and its repetitions may take where no variable says so, in milliseconds. The 10 s of the specification are longer than a run waits
 * for an output at its end.
 */
const usualTimeoutMs = 4000
/** A flush and the end are waited for no longer, whatever variables say: a run waits 5 s for an output. */
const patienceMs = 4500

/** Puts a provider of our own together, which nobody else sees: the global one stays whose it is. */
export async function openOtlpPipeline({
  variables,
  resource,
  begunMs,
  destination,
}: OtlpPipelineOptions): Promise<OtlpPipeline> {
  const { protocol, intervalMs, exportTimeoutMs, requestTimeoutMs, certificates } = variables
  const packages = await loadOtlpPackages(protocol)
  const { sdk, OTLPMetricExporter } = packages
  const timeoutMillis = requestTimeoutMs ?? usualTimeoutMs
  const make = (): PushMetricExporter =>
    new OTLPMetricExporter({
      timeoutMillis,
      httpAgentOptions: (scheme) =>
        createOtlpAgent(scheme, { certificates, connectTimeoutMs: timeoutMillis }),
      ...destination,
    })
  const exporter = destination === undefined ? make() : withoutHeadersOfVariables(make)
  const resourceNow = resource(packages)
  const startTimes = createStartTimes(sdk, begunMs)
  const watched = watch(exporter, ({ scopeMetrics }) => ({
    scopeMetrics: startTimes(scopeMetrics),
    resource: resourceNow(),
  }))
  forgetGauges(exporter, sdk)
  const provider = new sdk.MeterProvider({
    resource: resourceNow(),
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
    flush: () => patiently(provider.forceFlush(), watched),
    shutdown: () => patiently(provider.shutdown(), watched),
    failure: watched.failure,
  }
}

async function patiently(sending: Promise<void>, { giveUp }: Watch): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      giveUp()
      resolve()
    }, patienceMs)
  })
  try {
    await Promise.race([sending, patience])
  } finally {
    clearTimeout(timer)
  }
}

const headerVariables = ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_METRICS_HEADERS']

/**
 * Exporters add the headers that variables name to those they are told, whoever is sent to: a key of one collector would go to another. They read them
 * when they are made, which takes no turn of the event loop.
 */
function withoutHeadersOfVariables<Made>(make: () => Made): Made {
  const kept = headerVariables.map((name) => [name, process.env[name]] as const)
  for (const name of headerVariables) delete process.env[name]
  try {
    return make()
  } finally {
    for (const [name, value] of kept) if (value !== undefined) process.env[name] = value
  }
}

/** `ExportResultCode` of `@opentelemetry/core`. */
const succeeded = 0
const failed = 1

/** What became of exports. */
interface Watch {
  /** Why the last one failed, if it did. */
  readonly failure: () => Error | undefined
  /** Takes those that are on their way for failed: a reader that waits for one keeps the process alive. */
  readonly giveUp: () => void
}

/**
 * The reader tells nobody but the program's own diagnostics of an export that failed: listens on the way, on which `complete` says what the SDK does not
 * know.
 */
function watch(
  exporter: PushMetricExporter,
  complete: (collected: ResourceMetrics) => ResourceMetrics,
): Watch {
  let failure: Error | undefined
  type Finish = Parameters<PushMetricExporter['export']>[1]
  const onTheirWay = new Set<Finish>()
  const send = exporter.export.bind(exporter)
  exporter.export = (collected, done) => {
    const finish: Finish = (result) => {
      if (!onTheirWay.delete(finish)) return
      const code: number = result.code
      failure = code === succeeded ? undefined : (result.error ?? new Error('no reason given'))
      done(result)
    }
    onTheirWay.add(finish)
    send(complete(collected), finish)
  }
  return {
    failure: () => failure,
    giveUp() {
      const error = new Error(`no answer within ${patienceMs / 1000} s`)
      for (const finish of onTheirWay) finish({ code: failed, error })
    },
  }
}

/**
 * Where points are cumulative the SDK sends every series for ever, also a power that nobody has told any more since its source failed. Gauges have
 * no temporality on the wire, and of those with differences it sends what was observed.
 * https://github.com/open-telemetry/opentelemetry-js/blob/main/packages/sdk-metrics/src/state/TemporalMetricProcessor.ts
 */
function forgetGauges(
  exporter: PushMetricExporter,
  { AggregationTemporality, InstrumentType }: MetricsSdk,
): void {
  const select = exporter.selectAggregationTemporality?.bind(exporter)
  exporter.selectAggregationTemporality = (type) =>
    type === InstrumentType.OBSERVABLE_GAUGE
      ? AggregationTemporality.DELTA
      : (select?.(type) ?? AggregationTemporality.CUMULATIVE)
}
