import type { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { RunView } from '../../core/exporter.ts'
import { labelName, metricSpecs, metricTable, prometheusName, type MetricKey } from '../metrics.ts'
import { observe, type Observation } from '../observations.ts'
import type { TaskPoint } from '../task-points.ts'

/** What of prom-client is used: loaded by whoever needs it, since most runs never do. */
export interface PromClient {
  readonly Counter: typeof Counter
  readonly Gauge: typeof Gauge
  readonly Histogram: typeof Histogram
}

/** The metrics of the table in one registry. */
export interface Series {
  /** Makes every series what the view says; one that is not in it is gone. */
  show(view: RunView): void
  /** Adds an ended task to the histograms. */
  add(point: TaskPoint): void
}

/**
 * Puts the metrics of the table into a registry of prom-client. Each format needs a registry of its own: prom-client cuts the `_total` off
 * the names of counters for good when it writes OpenMetrics.
 */
export function createSeries(prom: PromClient, registry: Registry, onCollect?: () => void): Series {
  // Plain text has no place for them.
  const hasExemplars = registry.contentType.startsWith('application/openmetrics-text')
  const counters = new Map<MetricKey, Counter>()
  const gauges = new Map<MetricKey, Gauge>()
  const histograms = new Map<MetricKey, Histogram>()
  for (const [key, spec] of metricSpecs) {
    const common = {
      name: prometheusName(spec),
      help: spec.help,
      labelNames: spec.attributes.map(labelName),
      registers: [registry],
      // prom-client asks all metrics, the first of them first: it brings them all up to date.
      ...(onCollect !== undefined && key === firstKey ? { collect: onCollect } : {}),
    }
    if (spec.instrument === 'counter') counters.set(key, new prom.Counter(common))
    else if (spec.instrument === 'gauge') gauges.set(key, new prom.Gauge(common))
    else {
      const buckets = [...(spec.buckets ?? [])]
      const histogram = new prom.Histogram({ ...common, buckets, enableExemplars: hasExemplars })
      // One without labels begins with nothing in its buckets, which is no more than nothing to tell.
      histogram.reset()
      histograms.set(key, histogram)
    }
  }
  return {
    show(view) {
      for (const [key, metric] of [...counters, ...gauges]) {
        metric.reset()
        // One without labels begins at zero, which would be a figure that nobody told.
        if (metricTable[key].attributes.length === 0) metric.remove()
      }
      for (const { metric, value, attributes } of observe(view)) {
        const labels = toLabels(attributes)
        counters.get(metric)?.inc(labels, value)
        gauges.get(metric)?.set(labels, value)
      }
    },
    add({ observations, exemplar }) {
      for (const { metric, value, attributes } of observations) {
        const labels = toLabels(attributes)
        const histogram = histograms.get(metric)
        if (!hasExemplars) histogram?.observe(labels, value)
        else
          histogram?.observe({
            labels,
            value,
            ...(exemplar === undefined ? {} : { exemplarLabels: exemplar }),
          })
      }
    },
  }
}

const [firstKey] = Object.keys(metricTable)

const toLabels = (attributes: Observation['attributes']): Record<string, string> =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [labelName(name), value]))
