import type { LoadSource } from '../core/load.ts'
import { ratio, type Ratio, type Seconds } from '../core/units.ts'

/** Tells the CPUs' mean utilisation since it was last asked; `undefined` where the system does not tell. */
export type Utilisation = (at: Seconds) => Ratio | undefined

/**
 * CPU times step by 10 ms, so a window of a few milliseconds shows 0 or 100 % at random, which a curved power model would turn into a
 * bias. Shorter windows are widened into the past to this.
 */
const minWindowSeconds = 0.1

/** Mean utilisation between calls. Two callers at the same moment get the same answer. */
export function createUtilisation(load: LoadSource): Utilisation {
  let older: Point | undefined
  let newer: Point | undefined
  let answer: { at: Seconds; value: Ratio | undefined } | undefined

  return (at) => {
    if (answer?.at === at) return answer.value
    const { cpuBusy, cpuCapacity } = load.read(at)
    if (cpuBusy === undefined || cpuCapacity === undefined) return undefined
    const now = { at, busy: cpuBusy, capacity: cpuCapacity }
    const from = newer !== undefined && at - newer.at >= minWindowSeconds ? newer : older
    const value = from === undefined ? undefined : between(from, now)
    if (newer === undefined || at - newer.at >= minWindowSeconds) {
      older = newer ?? now
      newer = now
    }
    answer = { at, value }
    return value
  }
}

interface Point {
  readonly at: Seconds
  readonly busy: number
  readonly capacity: number
}

function between(from: Point, to: Point): Ratio | undefined {
  const capacity = to.capacity - from.capacity
  return capacity > 0 ? ratio((to.busy - from.busy) / capacity) : undefined
}
