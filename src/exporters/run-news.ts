import type { EmissionsData, TaskEmissionsData } from '../core/emissions-data.ts'
import type { Report } from '../core/exporter.ts'
import { othersOf, type Facts } from './run-figures.ts'
import { addTask, createTaskGroups, nameOf, toldName, type TaskGroup } from './task-groups.ts'
import { otherTasks } from './task-attributes.ts'
import { createToldFigures, type NewFigures } from './told-figures.ts'

/** A run at one time, as far as a tracker of experiments has not been told. */
export interface RunNews extends NewFigures {
  readonly total: EmissionsData
  /** Totals with their intervals and what they compare to; at a flush and at the end. */
  readonly others: Facts
  /** Tasks that ended and were not told, those of one name together; the latest comes last. */
  readonly tasks: readonly TaskNews[]
}

/** Tasks of one name that were not told. */
export interface TaskNews {
  readonly group: TaskGroup
  /** The name without the number of an epoch. */
  readonly series: string
  /** The epoch, else how many of the series have ended so far. */
  readonly step: number
}

/** What there is to look at. */
export type RunMoment = Pick<Report, 'reason' | 'total' | 'tasks'>

/** What a tracker of experiments has been told of one run, and what is new. */
export interface RunStory {
  /** Keeps a task until it is told, and counts it once, however often it is added. */
  add(task: TaskEmissionsData): void
  /** Whether a live report is too soon after the last moment that was told. */
  isTooSoon(moment: Pick<RunMoment, 'reason' | 'total'>): boolean
  /** What is new, and stays so until it is noted. */
  newIn(moment: RunMoment): RunNews
  /** That was told. */
  note(news: RunNews): void
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
  const added = new WeakSet<TaskEmissionsData>()
  const untold = new Map<string, TaskNews>()

  function add(task: TaskEmissionsData): void {
    if (added.has(task)) return
    added.add(task)
    groups.add(task)
    const series = toldName(seriesOf(task.givenTaskName), counts)
    const count = (counts.get(series) ?? 0) + 1
    counts.set(series, count)
    const key = series === otherTasks ? series : nameOf(task.givenTaskName)
    const group = addTask(untold.get(key)?.group, task, key)
    untold.delete(key)
    untold.set(key, { group, series, step: group.epoch ?? count })
  }

  return {
    add,
    isTooSoon: ({ reason, total }) =>
      reason === 'live' &&
      figures.last !== undefined &&
      total.duration - figures.last.duration < leastSeconds,
    newIn({ reason, total, tasks }) {
      for (const task of tasks) add(task)
      return {
        ...figures.newIn(total),
        total,
        others: reason === 'live' ? {} : othersOf(total, comparisons(total)),
        tasks: [...untold.values()],
      }
    },
    note(news) {
      figures.note(news.total, news)
      const told = new Set(news.tasks)
      for (const [key, task] of untold) if (told.has(task)) untold.delete(key)
    },
    tasks: () => groups.all(),
  }
}

/** `epoch 3` is the third of `epoch`. */
const seriesOf = (given: string): string => nameOf(given).replace(/(epoch)\D{0,3}\d{1,9}$/i, '$1')
