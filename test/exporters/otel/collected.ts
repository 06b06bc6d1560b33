import type { MetricData, ResourceMetrics } from '@opentelemetry/sdk-metrics'
import { MetricReader } from '@opentelemetry/sdk-metrics'

/** A reader that is asked by the test. */
export class TestReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {
    this.flushed.push((await this.collect()).resourceMetrics)
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve()
  }

  /** What a reader that pushes would have sent when it was asked to. */
  readonly flushed: ResourceMetrics[] = []
}

/** The metrics of a collection, by name. */
export const byName = (resourceMetrics: ResourceMetrics): ReadonlyMap<string, MetricData> =>
  new Map(
    resourceMetrics.scopeMetrics
      .flatMap(({ metrics }) => metrics)
      .map((metric) => [metric.descriptor.name, metric]),
  )
