import type { Exporter } from '../../core/exporter.ts'
import { createMeterFeed } from './meter-feed.ts'
import type { MeterProvider } from './meter-provider.ts'
import { loadNeeded } from './needed-package.ts'

export { collectorNames, type CollectorName } from './collector-names.ts'

/** Where the instruments are made. */
export interface OtelExporterOptions {
  /**
   * Where meters come from.
   * @default the global one of `@opentelemetry/api`, which does nothing where the program has no SDK
   */
  readonly meterProvider?: MeterProvider
  /**
   * Name of the meter. Trackers that run at the same time need one each, or one would overwrite the figures of the other.
   * @default 'codecarbon'
   */
  readonly meterName?: string
  /**
   * Labels of scopes that become attributes, beside `queue`, as `scope_labels` says.
   * @default []
   */
  readonly scopeLabels?: readonly string[] | undefined
}

/**
 * Metrics for the OpenTelemetry SDK of the program: energy and emissions as observable counters, power as gauges, tasks as histograms. Hand it to
 * a tracker as one of its `exporters`. Collecting costs no look at the hardware: what is told is a second old at most. At the end of the run the provider is
 * asked to send the last figures, and nothing is observed any more. Where no provider is given, `@opentelemetry/api` 1.3 or later is needed.
 *
 * @example
 * const tracker = new EmissionsTracker({ exporters: [createOtelExporter()] }).start()
 */
export function createOtelExporter(options: OtelExporterOptions = {}): Exporter {
  const { meterProvider, meterName = 'codecarbon', scopeLabels } = options
  return createMeterFeed({
    name: 'otel',
    meterName,
    scopeLabels,
    findProvider: async () => (meterProvider === undefined ? globalProvider() : () => meterProvider),
  })
}

async function globalProvider(): Promise<() => MeterProvider> {
  const { metrics } = await loadNeeded(async () => import('@opentelemetry/api'), ['@opentelemetry/api'])
  return () => metrics.getMeterProvider()
}
