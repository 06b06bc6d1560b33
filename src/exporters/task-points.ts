import type { EndedTask } from './ended-task.ts'
import type { Observation } from './observations.ts'
import { createTaskAttributes } from './task-attributes.ts'

/** What adds to the histograms at once. */
export interface TaskPoint {
  readonly observations: readonly Observation[]
}

/** Turns ended tasks into points. @param labels of scopes that become attributes */
export function createTaskPoints(labels?: readonly string[]): (task: EndedTask) => TaskPoint {
  const attributesOf = createTaskAttributes(labels)
  return (task) => {
    const attributes = attributesOf(task)
    const { energyJoules, emissionsGrams, durationSeconds } = task
    return {
      observations: [
        ...(energyJoules === undefined ? [] : [point('taskEnergy', energyJoules, attributes)]),
        ...(emissionsGrams === undefined
          ? []
          : [point('taskEmissions', emissionsGrams, { ...attributes, basis: 'location' })]),
        point('taskDuration', durationSeconds, attributes),
      ],
    }
  }
}

const point = (
  metric: Observation['metric'],
  value: number,
  attributes: Observation['attributes'],
): Observation => ({ metric, value, attributes })
