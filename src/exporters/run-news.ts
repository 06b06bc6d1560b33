import type { EmissionsData, TaskEmissionsData } from '../core/emissions-data.ts'
import type { Reason } from '../core/exporter.ts'
import { othersOf, type Facts } from './run-figures.ts'
import { addTask, createTaskGroups, nameOf, toldName, type TaskGroup } from './task-groups.ts'
import { otherTasks } from './task-attributes.ts'
import { createToldFigures, type NewFigures } from './told-figures.ts'

/** A run at one time, as far as a tracker of experiments has not been told. */
export interface RunNews extends NewFigures {
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

/** Seconds between two live reports, however often a run reports. */
const leastSeconds = 9

/** Keeps what was told of a run, so that each tracker of experiments is told the same, and nothing twice. */
export function createRunStory(comparisons: (data: EmissionsData) => readonly string[]): RunStory {
  const figures = createToldFigures()
  const groups = createTaskGroups()
  const counts = new Map<string, number>()
  let kept: readonly TaskEmissionsData[] = []

  function taskNews(tasks: readonly TaskEmissionsData[]): TaskNews[] {
    const since = new Map<string, { readonly group: TaskGroup; readonly series: string }>()
    for (const task of tasks) {
      groups.add(task)
      const series = toldName(seriesOf(task.givenTaskName), counts)
      counts.set(series, (counts.get(series) ?? 0) + 1)
      const key = series === otherTasks ? series : nameOf(task.givenTaskName)
      since.set(key, { group: addTask(since.get(key)?.group, task, key), series })
    }
    return [...since.values()].map(({ group, series }) => ({
      group,
      series,
      step: group.epoch ?? counts.get(series) ?? 0,
    }))
  }

  return {
    isTooSoon({ reason, total, tasks }) {
      const { last } = figures
      if (reason !== 'live' || last === undefined || total.duration - last.duration >= leastSeconds)
        return false
      kept = [...kept, ...tasks]
      return true
    },
    next({ reason, total, tasks }) {
      const isWhole = reason !== 'live'
      const news = figures.newIn(total)
      const ended = [...kept, ...tasks]
      figures.note(total, news)
      kept = []
      return {
        ...news,
        others: isWhole ? othersOf(total, comparisons(total)) : {},
        tasks: taskNews(ended),
      }
    },
    tasks: () => groups.all(),
  }
}

/** `epoch 3` is the third of `epoch`. */
const seriesOf = (given: string): string => nameOf(given).replace(/(epoch)\D{0,3}\d{1,9}$/i, '$1')
