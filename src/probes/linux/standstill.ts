import type { Seconds } from '../../core/units.ts'

/**
 * A meter that never moved for this long, over so many looks, is no meter of this machine's energy; one that has moved before is given
 * longer. The same as for RAPL counters: an interval of theirs that is this long holds thousands of their steps.
 */
const deadSeconds = 3
const stuckSeconds = 10
const deadLooks = 8

/** Watches a meter of something that draws power whenever it is on: one that says nothing at all for long has failed. */
export class Standstill {
  #movedAt: Seconds | undefined
  #hasMoved = false
  #looks = 0

  /** How long it has stood still, in seconds, where that is too long; `undefined` while it may be alive. */
  look(hasMoved: boolean, at: Seconds): number | undefined {
    this.#movedAt ??= at
    this.#looks += 1
    if (hasMoved) {
      this.#hasMoved = true
      this.#movedAt = at
      this.#looks = 0
    }
    const still = at - this.#movedAt
    const isLong = still >= stuckSeconds * 2 && this.#looks > 1
    const isDead = still >= (this.#hasMoved ? stuckSeconds : deadSeconds) && this.#looks >= deadLooks
    return isLong || isDead ? still : undefined
  }
}
