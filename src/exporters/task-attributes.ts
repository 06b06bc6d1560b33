import { createNameBound, otherNames } from '../core/bounded-names.ts'
import type { ScopeRecord } from '../core/scope-record.ts'
import type { EndedTask } from './ended-task.ts'

/** Outcomes that do: a careless program may have one for each error. */
const mostOutcomes = 20
/** Series that are found by what a scope says, without looking at each part of it. */
const mostKnown = 1000
/** What all others are called. */
export const otherTasks: string = otherNames
/** What tasks are called that nobody gave a name: each has a random one. */
export const unnamedTasks = '_unnamed'

/** Whether that is the random name of a task that nobody named. */
export const isUnnamed = (name: string): boolean => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(name)

/** Attributes of a series; the same object for the same series. */
export type TaskAttributes = Readonly<Record<string, string>>

/**
 * Says to which series a task belongs, of a bounded number.
 *
 * @param extraLabels of scopes that become attributes, beside `queue`
 */
export function createTaskAttributes(
  extraLabels: readonly string[] = [],
): (task: EndedTask) => TaskAttributes {
  const labels = ['queue', ...extraLabels]
  const known = new Map<string, Known[]>()
  let count = 0
  const series = new Map<string, TaskAttributes>()
  const names = createNameBound()
  const outcomes = createNameBound(mostOutcomes)
  const values = new Map(labels.map((label) => [label, createNameBound()]))

  function make({ name, scope }: EndedTask): TaskAttributes {
    const task = names(isUnnamed(name) ? unnamedTasks : name)
    if (scope === undefined) return { task }
    const own = labels.flatMap((label) => {
      const value = labelOf(scope, label)
      return value === undefined ? [] : [[label, values.get(label)?.(value) ?? value]]
    })
    return {
      task,
      kind: scope.kind,
      outcome: outcomes(scope.outcome),
      attribution: scope.attribution,
      ...(scope.isNested ? { nested: 'true' } : {}),
      ...(Object.fromEntries(own) as TaskAttributes),
    }
  }

  return (task) => {
    const ofName = known.get(task.name)
    const found = ofName?.find(({ scope }) => isAlike(scope, task.scope, labels))
    if (found !== undefined) return found.attributes
    const made = make(task)
    const key = JSON.stringify(Object.entries(made))
    const attributes = series.get(key) ?? made
    series.set(key, attributes)
    if (count < mostKnown) {
      count += 1
      const entry = { scope: task.scope, attributes }
      if (ofName === undefined) known.set(task.name, [entry])
      else ofName.push(entry)
    }
    return attributes
  }
}

/** What scopes say, and the series that this makes. */
interface Known {
  readonly scope: EndedTask['scope']
  readonly attributes: TaskAttributes
}

const isAlike = (a: EndedTask['scope'], b: EndedTask['scope'], labels: readonly string[]): boolean =>
  a === b ||
  (a !== undefined &&
    b !== undefined &&
    a.outcome === b.outcome &&
    a.kind === b.kind &&
    a.attribution === b.attribution &&
    a.isNested === b.isNested &&
    (a.labels === b.labels || labels.every((label) => labelOf(a, label) === labelOf(b, label))))

/** Not what every object has, such as a `constructor`. */
const labelOf = ({ labels }: Pick<ScopeRecord, 'labels'>, label: string): string | undefined =>
  Object.hasOwn(labels, label) ? labels[label] : undefined
