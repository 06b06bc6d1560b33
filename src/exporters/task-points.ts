import type { TaskEmissionsData } from '../core/emissions-data.ts'
import { fromKilograms, fromKilowattHours } from '../core/units.ts'
import type { Observation } from './observations.ts'

/** What an ended task adds to the histograms. */
export interface TaskPoint {
  readonly observations: readonly Observation[]
  /** Ids of the trace that was active when it ended. */
  readonly exemplar: Readonly<Record<string, string>> | undefined
}

/** Names of tasks that get a series of their own; a careless program may name each task by its time or its user. */
const mostNames = 100
/** Characters of a name that are kept, in UTF-16: it is written in each bucket of three histograms, at each scrape. */
const longestName = 128
/** What all others are called. */
export const otherTasks = '_other'
/** What tasks are called that nobody gave a name: each has a random one. */
export const unnamedTasks = '_unnamed'

/** Whether that is the random name of a task that nobody named. */
export const isUnnamed = (name: string): boolean => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(name)

/** Turns ended tasks into points, with a bounded number of names of a bounded length; those that are then alike share their series. */
export function createTaskPoints(): (
  task: TaskEmissionsData,
  exemplar?: Readonly<Record<string, string>>,
) => TaskPoint {
  const names = new Set<string>()
  return (task, exemplar) => {
    const given = isUnnamed(task.givenTaskName) ? unnamedTasks : labelOf(task.givenTaskName)
    if (names.size < mostNames) names.add(given)
    const name = names.has(given) ? given : otherTasks
    const { energyConsumed, emissions, duration } = task
    return {
      observations: [
        ...(energyConsumed === undefined
          ? []
          : [point('taskEnergy', fromKilowattHours(energyConsumed), { task: name })]),
        ...(emissions === undefined
          ? []
          : [point('taskEmissions', fromKilograms(emissions), { task: name, basis: 'location' })]),
        point('taskDuration', duration, { task: name }),
      ],
      exemplar,
    }
  }
}

/**
 * A name that any label can hold. Half of a surrogate pair has no UTF-8: each would be written as the same replacement character, in
 * two series of one name, so it is that character from here on.
 */
const labelOf = (name: string): string => name.slice(0, longestName).replace(/\p{Surrogate}/gu, '\uFFFD')

const point = (
  metric: Observation['metric'],
  value: number,
  attributes: Observation['attributes'],
): Observation => ({ metric, value, attributes })
