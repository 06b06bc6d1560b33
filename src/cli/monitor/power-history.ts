import { powerOver, joules, seconds } from '../../core/units.ts'
import { countedComponents, type CountedComponent, type Usage } from '../../core/usage.ts'

/** Watts of each component over the last looks; `undefined` where nobody could tell. */
export interface PowerHistory {
  /** Takes what the run has used so far, before PUE. */
  add(usage: Usage): void
  /** Oldest first. */
  of(component: CountedComponent): readonly (number | undefined)[]
  /** Sum of the components that could be told. */
  total(): readonly (number | undefined)[]
}

/** Keeps the power between looks, up to `length` of them. */
export function createPowerHistory(length: number): PowerHistory {
  const watts = new Map<CountedComponent, (number | undefined)[]>(
    countedComponents.map((component) => [component, []]),
  )
  const totals: (number | undefined)[] = []
  let last: Usage | undefined

  return {
    add(usage) {
      const before = last
      if (before !== undefined && usage.time <= before.time) return
      last = usage
      if (before === undefined) return
      const time = seconds(usage.time - before.time)
      let sum: number | undefined
      for (const component of countedComponents) {
        const now = usage.energy[component]
        const power =
          now === undefined
            ? undefined
            : powerOver(joules(now.value - (before.energy[component]?.value ?? 0)), time)
        if (power !== undefined) sum = (sum ?? 0) + power
        keep(watts.get(component) ?? [], power, length)
      }
      keep(totals, sum, length)
    },
    of: (component) => watts.get(component) ?? [],
    total: () => totals,
  }
}

function keep(list: (number | undefined)[], value: number | undefined, length: number): void {
  list.push(value)
  if (list.length > length) list.shift()
}
