import type { TaskEmissionsData } from '../core/emissions-data.ts'
import { isUnnamed, otherTasks, unnamedTasks } from './task-attributes.ts'

/** Tasks of one name, of which each has these figures in the mean. */
export interface TaskGroup {
  readonly name: string
  readonly count: number
  /** kWh. */
  readonly energy: number | undefined
  /** kg CO2eq. */
  readonly emissions: number | undefined
  readonly seconds: number
  /** Where the name ends with its number, as that of `epoch 3` does. */
  readonly epoch: number | undefined
}

/** The tasks of a run by name. */
export interface TaskGroups {
  /** Adds a task to those of its name. @returns the name that it is told under */
  add(task: TaskEmissionsData): string
  all(): readonly TaskGroup[]
}

/** Names of tasks that are told apart; a careless program may name each by its time. */
const mostNames = 100

export function createTaskGroups(): TaskGroups {
  const groups = new Map<string, TaskGroup>()
  return {
    add(task) {
      const { givenTaskName: given } = task
      const name = isUnnamed(given) ? unnamedTasks : toldName(given, groups)
      groups.set(name, addTask(groups.get(name), task, name))
      return name
    },
    all: () => [...groups.values()],
  }
}

/** A group with one task more. */
export function addTask(group: TaskGroup | undefined, task: TaskEmissionsData, name: string): TaskGroup {
  const count = (group?.count ?? 0) + 1
  const mean = (before: number | undefined, value: number | undefined): number | undefined =>
    value === undefined ? before : before === undefined ? value : before + (value - before) / count
  const epoch = /epoch\D{0,3}(\d{1,9})$/i.exec(task.givenTaskName)?.[1]
  return {
    name,
    count,
    energy: mean(group?.energy, task.energyConsumed),
    emissions: mean(group?.emissions, task.emissions),
    seconds: mean(group?.seconds, task.duration) ?? 0,
    epoch: epoch === undefined ? undefined : Number(epoch),
  }
}

/** The name that was given to a task, or what all are called that were given none. */
export const nameOf = (given: string): string => (isUnnamed(given) ? unnamedTasks : given)

/** A name that is told apart from those that were told so far, or what all others are called. */
export const toldName = (name: string, names: ReadonlyMap<string, unknown>): string =>
  names.has(name) || names.size < mostNames ? name : otherTasks
