import type { MetricData, ScopeMetrics } from '@opentelemetry/sdk-metrics'
import type { MetricsSdk } from './otlp-packages.ts'

type Time = MetricData['dataPoints'][number]['startTime']

/**
 * Puts into points since when they count. The SDK takes that for the first time that it was told of a series: the only point of a short run would have
 * no length, which says that its start is not known, so that some backends drop it, and that of a long one would leave out its first interval.
 * https://opentelemetry.io/docs/specs/otel/metrics/data-model/#cumulative-streams-handling-unknown-start-time
 *
 * @param begunMs when the series of a metric begin, in milliseconds since 1970
 */
export function createStartTimes(
  { AggregationTemporality, DataPointType }: Pick<MetricsSdk, 'AggregationTemporality' | 'DataPointType'>,
  begunMs: (metricName: string) => number,
): (collected: ScopeMetrics[]) => ScopeMetrics[] {
  let lastEnd: Time | undefined

  function startOf({ descriptor, aggregationTemporality }: MetricData, told: Time): Time {
    const begun = toTime(begunMs(descriptor.name))
    // Differences are those since the last collection, or since the series began.
    if (aggregationTemporality === AggregationTemporality.DELTA) {
      return lastEnd === undefined || isBefore(lastEnd, begun) ? begun : lastEnd
    }
    // Where the clock was set back meanwhile the SDK knows better.
    return isBefore(begun, told) ? begun : told
  }

  function complete(metric: MetricData): MetricData {
    // Gauges have no start.
    if (metric.dataPointType === DataPointType.GAUGE) return metric
    const dataPoints = metric.dataPoints.map((point) => {
      const start = startOf(metric, point.startTime)
      return { ...point, startTime: isBefore(start, point.endTime) ? start : point.endTime }
    })
    return { ...metric, dataPoints } as MetricData
  }

  return (collected) => {
    const completed = collected.map(({ scope, metrics }) => ({ scope, metrics: metrics.map(complete) }))
    lastEnd = collected[0]?.metrics[0]?.dataPoints[0]?.endTime ?? lastEnd
    return completed
  }
}

const toTime = (ms: number): Time => {
  const seconds = Math.floor(ms / 1000)
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)]
}

const isBefore = (a: Time, b: Time): boolean => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1])
