import type {
  Counter,
  Gauge,
  Histogram,
  Metric,
  MetricObjectWithValues,
  MetricValueWithName,
  Registry,
} from 'prom-client'
import type { RunView } from '../../core/exporter.ts'
import { labelName, metricSpecs, metricTable, prometheusName, type MetricKey } from '../metrics.ts'
import { observe, type Observation } from '../observations.ts'
import {
  boundsOf,
  type TaskHistograms,
  taskMetrics,
  type Exemplar,
  type HistogramSeries,
  type TaskMetric,
} from '../task-histograms.ts'
import type { TaskPoint } from '../task-points.ts'

/** What of prom-client is used: loaded by whoever needs it, since most runs never do. */
export interface PromClient {
  readonly Counter: typeof Counter
  readonly Gauge: typeof Gauge
  readonly Histogram: typeof Histogram
}

/** Options of {@link createSeries}. */
export interface SeriesOptions {
  /** Where ended tasks are added up, for any number of registries. */
  readonly tasks: TaskHistograms
  /** Called before anything is collected. */
  readonly onCollect?: (() => void) | undefined
}

/** The metrics of the table in one registry. */
export interface Series {
  /** Makes every series what the view says; one that is not in it is gone. */
  show(view: RunView): void
  /** Adds to the histograms. */
  add(point: TaskPoint): void
}

/**
 * Puts the metrics of the table into a registry of prom-client. Each format needs a registry of its own: prom-client cuts the `_total` off
 * the names of counters for good when it writes OpenMetrics.
 */
export function createSeries(
  prom: PromClient,
  registry: Registry,
  { tasks, onCollect }: SeriesOptions,
): Series {
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
    else if (isOfTasks(key))
      registry.registerMetric(taskMetric(key, tasks, hasExemplars) as unknown as Metric)
    else {
      const buckets = [...(spec.buckets ?? [])]
      const histogram = new prom.Histogram({ ...common, buckets })
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
    add({ observations }) {
      for (const { metric, value, attributes } of observations)
        histograms.get(metric)?.observe(toLabels(attributes), value)
    },
  }
}

const isOfTasks = (key: MetricKey): key is TaskMetric => (taskMetrics as readonly MetricKey[]).includes(key)

/** A metric of prom-client that is asked for what was added up elsewhere. */
function taskMetric(key: TaskMetric, tasks: TaskHistograms, hasExemplars: boolean): TaskMetricOfProm {
  const { help } = metricTable[key]
  const name = prometheusName(metricTable[key])
  const bounds = [...boundsOf(key), '+Inf' as const]
  const valuesOf = ({ attributes, counts, exemplars, sum, count }: HistogramSeries): Value[] => {
    const labels = toLabels(attributes)
    let below = 0
    const buckets = bounds.map((le, index) => ({
      labels: { le, ...labels },
      value: (below += counts[index] ?? 0),
      metricName: `${name}_bucket`,
      ...(hasExemplars && exemplars[index] !== undefined ? { exemplar: exemplars[index] } : {}),
    }))
    return [
      ...buckets,
      { labels, value: sum, metricName: `${name}_sum` },
      { labels, value: count, metricName: `${name}_count` },
    ]
  }
  return {
    name,
    help,
    type: 'histogram',
    // Those of the run stay: a registry that is reset by the program goes on with them.
    reset: () => undefined,
    get: () =>
      Promise.resolve({
        name,
        help,
        type: 'histogram',
        aggregator: 'sum',
        values: tasks.seriesOf(key).flatMap(valuesOf),
      } as unknown as MetricObjectWithValues<MetricValueWithName<string>>),
  }
}

interface TaskMetricOfProm extends Pick<Histogram, 'get' | 'reset'> {
  readonly name: string
  readonly help: string
  readonly type: 'histogram'
}

interface Value {
  readonly labels: Record<string, string | number>
  readonly value: number
  readonly metricName: string
  readonly exemplar?: Exemplar
}

const [firstKey] = Object.keys(metricTable)

const toLabels = (attributes: Observation['attributes']): Record<string, string> =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [labelName(name), value]))
