import { ratio, type Ratio, type Seconds } from './units.ts'

/** CPU times step by 10 ms: less busy time than ten steps says little, and is widened into the past. */
const minBusySeconds = 0.1

/**
 * A process tree's share of the time that the machine's CPUs were busy, whoever kept them so. One busy thread on an idle machine has all of
 * it, however many CPUs there are.
 */
export class BusyShare {
  #older: Point | undefined
  #newer: Point | undefined

  /**
   * The share since the last call, from cumulative CPU times; `undefined` at the first one, where nobody tells how busy the machine was, and
   * where it was not.
   */
  since(tree: Seconds, machine: Seconds | undefined): Ratio | undefined {
    if (machine === undefined) return undefined
    const now = { tree, machine }
    const isLong = this.#newer !== undefined && machine - this.#newer.machine >= minBusySeconds
    const from = isLong ? this.#newer : this.#older
    if (isLong || this.#newer === undefined) {
      this.#older = this.#newer ?? now
      this.#newer = now
    }
    const busy = from === undefined ? 0 : machine - from.machine
    return from === undefined || busy <= 0 ? undefined : ratio((tree - from.tree) / busy)
  }
}

/** Cumulative CPU times of one moment. */
interface Point {
  readonly tree: Seconds
  readonly machine: Seconds
}
