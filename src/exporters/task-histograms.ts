import type { EndedTask } from './ended-task.ts'
import { metricTable, type MetricSpec } from './metrics.ts'
import { createTaskAttributes, type TaskAttributes } from './task-attributes.ts'

/** Histograms of ended tasks. */
export const taskMetrics = ['taskEnergy', 'taskEmissions', 'taskDuration'] as const
/** One of {@link taskMetrics}. */
export type TaskMetric = (typeof taskMetrics)[number]

/** Where a value of a bucket came from. */
export interface Exemplar {
  readonly labelSet: Readonly<Record<string, string>>
  readonly value: number
  /** Seconds since 1970. */
  readonly timestamp: number
}

/** One series of a histogram. */
export interface HistogramSeries {
  readonly attributes: TaskAttributes
  /** Values up to each bound and above the bound before it; the last is of those above all. */
  readonly counts: number[]
  readonly exemplars: (Exemplar | undefined)[]
  sum: number
  count: number
}

/**
 * The histograms of tasks, added up here and not in a library of metrics: a server ends tens of thousands of requests a second, which must cost it next to
 * nothing.
 */
export class TaskHistograms {
  readonly #attributesOf: (task: EndedTask) => TaskAttributes
  readonly #series = new Map<TaskMetric, Map<TaskAttributes, HistogramSeries>>(
    taskMetrics.map((metric) => [metric, new Map()]),
  )

  /** @param labels of scopes that become attributes */
  constructor(labels?: readonly string[]) {
    this.#attributesOf = createTaskAttributes(labels)
  }

  add(task: EndedTask): void {
    const attributes = this.#attributesOf(task)
    this.#count('taskEnergy', attributes, task.energyJoules, task)
    this.#count('taskEmissions', attributes, task.emissionsGrams, task)
    this.#count('taskDuration', attributes, task.durationSeconds, task)
  }

  /** The series that there are. */
  seriesOf(metric: TaskMetric): readonly HistogramSeries[] {
    return [...(this.#series.get(metric)?.values() ?? [])]
  }

  #count(
    metric: TaskMetric,
    attributes: TaskAttributes,
    value: number | undefined,
    { trace }: EndedTask,
  ): void {
    if (value === undefined) return
    const ofMetric = this.#series.get(metric)
    const bounds = boundsOf(metric)
    let series = ofMetric?.get(attributes)
    if (series === undefined) {
      const labels = metric === 'taskEmissions' ? { ...attributes, basis: 'location' } : attributes
      series = {
        attributes: labels,
        counts: Array.from({ length: bounds.length + 1 }, () => 0),
        exemplars: [],
        sum: 0,
        count: 0,
      }
      ofMetric?.set(attributes, series)
    }
    let index = 0
    while (index < bounds.length && value > (bounds[index] ?? Infinity)) index += 1
    series.counts[index] = (series.counts[index] ?? 0) + 1
    series.sum += value
    series.count += 1
    if (trace !== undefined)
      series.exemplars[index] = { labelSet: trace, value, timestamp: Date.now() / 1000 }
  }
}

/** Upper bounds of the buckets. */
export const boundsOf = (metric: TaskMetric): readonly number[] =>
  (metricTable[metric] as MetricSpec).buckets ?? []
