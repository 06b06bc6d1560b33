import type { RunView } from '../../core/exporter.ts'
import type { Seconds } from '../../core/units.ts'
import type { EndedTask } from '../ended-task.ts'
import { compatLabels, compatMetrics, type CompatFigures } from '../compat-metrics.ts'
import {
  labelName,
  metricSpecs,
  metricTable,
  prometheusName,
  type MetricKey,
  type MetricSpec,
} from '../metrics.ts'
import { observe, type Observation } from '../observations.ts'
import { tickPoint } from '../duration-points.ts'
import { boundsOf, TaskHistograms, taskMetrics, type HistogramSeries } from '../task-histograms.ts'

/** The metrics of the table as text 0.0.4. */
export interface TextMetrics {
  /** Adds an ended task to the histograms. */
  add(task: EndedTask): void
  /** Adds a measurement that took so long. */
  addTick(took: Seconds): void
  /** The whole text at one moment; with figures of a report also under the names of CodeCarbon for Python. */
  render(view: RunView, compat?: CompatFigures): string
}

/** What the text is called in a header. */
export const textContentType = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * Metrics for those that are handed them, as a Pushgateway and the file for node_exporter are. The same lines as those of prom-client, which a test
 * compares; but written at once, without a promise, since a process that ends cannot wait, and without loading anything. Metrics that have
 * no series are left out.
 *
 * Format: https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * @param scopeLabels labels of scopes that become labels of metrics
 */
export function createTextMetrics(scopeLabels?: readonly string[]): TextMetrics {
  const tasks = new TaskHistograms(scopeLabels)
  const histograms = new Map<MetricKey, Map<string, Histogram>>()

  function count({ metric, value, attributes }: Observation): void {
    const { buckets = [] }: MetricSpec = metricTable[metric]
    const series = histograms.get(metric) ?? new Map<string, Histogram>()
    histograms.set(metric, series)
    const labels = labelsOf(attributes)
    const histogram = series.get(labels) ?? { buckets, counts: buckets.map(() => 0), sum: 0, count: 0 }
    series.set(labels, histogram)
    histogram.sum += value
    histogram.count += 1
    buckets.forEach((bound, index) => {
      if (value <= bound) histogram.counts[index] = (histogram.counts[index] ?? 0) + 1
    })
  }

  return {
    add(task) {
      tasks.add(task)
    },
    addTick(took) {
      for (const observation of tickPoint(took).observations) count(observation)
    },
    render(view, compat) {
      const observations = grouped(observe(view))
      const ofTasks = new Map<MetricKey, readonly (readonly [string, Histogram])[]>(
        taskMetrics.map((key) => [
          key,
          tasks.seriesOf(key).map((series) => toHistogram(series, boundsOf(key))),
        ]),
      )
      const own = metricSpecs
        .map(([key, spec]) => {
          const name = prometheusName(spec)
          const lines =
            spec.instrument === 'histogram'
              ? [...(ofTasks.get(key) ?? histograms.get(key) ?? [])].flatMap(([given, one]) =>
                  histogramLines(name, given, one),
                )
              : (observations.get(key) ?? []).map(({ attributes, value }) =>
                  line(name, labelsOf(attributes), value),
                )
          if (lines.length === 0) return ''
          return metricLines(name, spec, lines)
        })
        .join('')
      return compat === undefined ? own : `${own}${compatLines(compat)}`
    },
  }
}

function metricLines(
  name: string,
  { help, instrument }: Pick<MetricSpec, 'help' | 'instrument'>,
  lines: readonly string[],
): string {
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${instrument}\n${lines.join('')}`
}

function compatLines(figures: CompatFigures): string {
  const labels = labelsOf(compatLabels(figures))
  return compatMetrics
    .map(({ name, value, ...spec }) => {
      const known = value(figures)
      return known === undefined ? '' : metricLines(name, spec, [line(name, labels, known)])
    })
    .join('')
}

/** With the counts of a bucket added up to those below it. */
function toHistogram(
  { attributes, counts, sum, count }: HistogramSeries,
  buckets: readonly number[],
): readonly [string, Histogram] {
  let below = 0
  return [
    labelsOf(attributes),
    { buckets, counts: buckets.map((_, index) => (below += counts[index] ?? 0)), sum, count },
  ]
}

interface Histogram {
  readonly buckets: readonly number[]
  /** Of each bucket, those below its bound. */
  readonly counts: number[]
  sum: number
  count: number
}

function grouped(observations: readonly Observation[]): ReadonlyMap<MetricKey, readonly Observation[]> {
  const groups = new Map<MetricKey, Observation[]>()
  for (const observation of observations) {
    const group = groups.get(observation.metric)
    if (group === undefined) groups.set(observation.metric, [observation])
    else group.push(observation)
  }
  return groups
}

function histogramLines(name: string, labels: string, { buckets, counts, sum, count }: Histogram): string[] {
  const bucket = (bound: string, value: number): string =>
    line(`${name}_bucket`, `le="${bound}"${labels === '' ? '' : `,${labels}`}`, value)
  return [
    ...buckets.map((bound, index) => bucket(String(bound), counts[index] ?? 0)),
    bucket('+Inf', count),
    line(`${name}_sum`, labels, sum),
    line(`${name}_count`, labels, count),
  ]
}

const line = (name: string, labels: string, value: number): string =>
  `${name}${labels === '' ? '' : `{${labels}}`} ${value}\n`

const labelsOf = (attributes: Observation['attributes']): string =>
  Object.entries(attributes)
    .map(([name, value]) => `${labelName(name)}="${escapeValue(value)}"`)
    .join(',')

const escapeHelp = (text: string): string =>
  text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`)
const escapeValue = (text: string): string => escapeHelp(text).replaceAll('"', String.raw`\"`)
