import type { EmissionsData, TaskEmissionsData } from '../core/emissions-data.ts'
import type { Reason } from '../core/exporter.ts'
import {
  addTask,
  metricsOf,
  othersOf,
  parametersOf,
  steadyMetrics,
  type Facts,
  type Figures,
  type TaskGroup,
} from './comet/comet-figures.ts'
import { isUnnamed, otherTasks, unnamedTasks } from './task-points.ts'

/** A run at one time, as far as a tracker of experiments has not been told. */
export interface RunNews {
  /** Totals so far and mean powers since the last time. */
  readonly metrics: Figures
  /** Facts that are new or have changed. */
  readonly parameters: Facts
  /** Totals with their intervals and what they compare to; at a flush and at the end. */
  readonly others: Facts
  /** Tasks that ended since the last time, those of one name together. */
  readonly tasks: readonly TaskNews[]
}

/** Tasks of one name that ended since the last time. */
export interface TaskNews {
  readonly group: TaskGroup
  /** The name without the number of an epoch. */
  readonly series: string
  /** The epoch, else how many of the series have ended so far. */
  readonly step: number
}

/** What there is to look at. */
export interface RunMoment {
  readonly reason: Reason
  readonly total: EmissionsData
  readonly tasks: readonly TaskEmissionsData[]
}

/** What a tracker of experiments has been told of one run, and what is new. */
export interface RunStory {
  /** Whether a live report is too soon after the last moment that was told; its tasks are kept for the next one. */
  isTooSoon(moment: RunMoment): boolean
  next(moment: RunMoment): RunNews
  /** All tasks so far, by name. */
  tasks(): readonly TaskGroup[]
}

/** Names of tasks that are told apart; a careless program may name each by its time. */
const mostNames = 100
/** Seconds between two live reports, however often a run reports. */
const leastSeconds = 9

/** Keeps what was told of a run, so that each tracker of experiments is told the same, and nothing twice. */
export function createRunStory(comparisons: (data: EmissionsData) => readonly string[]): RunStory {
  const groups = new Map<string, TaskGroup>()
  const counts = new Map<string, number>()
  let told: EmissionsData | undefined
  let steady: Figures = {}
  let facts: Facts = {}
  let kept: readonly TaskEmissionsData[] = []

  function taskNews(tasks: readonly TaskEmissionsData[]): TaskNews[] {
    const since = new Map<string, { readonly group: TaskGroup; readonly series: string }>()
    for (const task of tasks) {
      const series = known(seriesOf(task.givenTaskName), counts)
      const name = known(nameOf(task.givenTaskName), groups)
      groups.set(name, { ...addTask(groups.get(name), task), name })
      counts.set(series, (counts.get(series) ?? 0) + 1)
      const key = series === otherTasks ? series : nameOf(task.givenTaskName)
      since.set(key, { group: { ...addTask(since.get(key)?.group, task), name: key }, series })
    }
    return [...since.values()].map(({ group, series }) => ({
      group,
      series,
      step: group.epoch ?? counts.get(series) ?? 0,
    }))
  }

  return {
    isTooSoon({ reason, total, tasks }) {
      if (reason !== 'live' || told === undefined || total.duration - told.duration >= leastSeconds)
        return false
      kept = [...kept, ...tasks]
      return true
    },
    next({ reason, total, tasks }) {
      const isWhole = reason !== 'live'
      const metrics = changed(metricsOf(total, told), steady, steadyMetrics)
      const parameters = changed(parametersOf(total), facts)
      const ended = [...kept, ...tasks]
      told = total
      kept = []
      steady = { ...steady, ...metrics }
      facts = { ...facts, ...parameters }
      return {
        metrics,
        parameters,
        others: isWhole ? othersOf(total, comparisons(total)) : {},
        tasks: taskNews(ended),
      }
    },
    tasks: () => [...groups.values()],
  }
}

const nameOf = (given: string): string => (isUnnamed(given) ? unnamedTasks : given)

/** `epoch 3` is the third of `epoch`. */
const seriesOf = (given: string): string => nameOf(given).replace(/(epoch)\D{0,3}\d{1,9}$/i, '$1')

const known = (name: string, names: ReadonlyMap<string, unknown>): string =>
  names.has(name) || names.size < mostNames ? name : otherTasks

/** Those that are new; of those that are not steady, all. */
function changed<T>(
  values: Readonly<Record<string, T>>,
  before: Readonly<Record<string, T>>,
  steady?: ReadonlySet<string>,
): Readonly<Record<string, T>> {
  return Object.fromEntries(
    Object.entries(values).filter(
      ([name, value]) => (steady !== undefined && !steady.has(name)) || before[name] !== value,
    ),
  )
}
