import type { Estimate } from '../core/estimate.ts'
import { Integrator } from '../core/integrator.ts'
import { seconds, type Joules, type Seconds, type Watts } from '../core/units.ts'

/**
 * Refresh periods of the power that cards show are 20 to 100 ms where it is a momentary value (Alumet; arXiv 2312.02741, table 3). Until
 * one has been observed, the slowest is assumed.
 */
const assumedPeriod = 0.1
/** A power that changes more seldom than this is one that is steady, whatever its refresh period: NVML averages over a second at most. */
const longestPeriod = 1
/** Intervals between changes that are remembered: enough for a quantile, few enough to follow a card that changes its pace. */
const remembered = 16

/**
 * Energy out of a power that the hardware renews at a period of its own, and that is looked at more or less often than that.
 *
 * A value that repeats within the period is the same sample seen twice and counts nothing; one that repeats for a whole period is a new
 * sample of a power that did not change. Between samples the power is taken for a straight line. The period is found by observation: a
 * change is never earlier than a period after the last one, so the shortest usual time between changes is it.
 */
export class SampledPower {
  readonly #integrator = new Integrator()
  readonly #intervals: number[] = []
  #lastPower: number | undefined
  #lastAt = 0
  #changedAt: number | undefined

  /** Takes a look at the power. */
  look(power: Watts, at: Seconds): void {
    const hasChanged = power !== this.#lastPower
    if (hasChanged) this.#observeChange(at)
    if (!hasChanged && at - this.#lastAt < this.period) return
    this.#integrator.sample(power, at)
    this.#lastPower = power
    this.#lastAt = at
  }

  /** The time up to the next look is a gap. */
  skip(): void {
    this.#integrator.skip()
    this.#lastPower = undefined
    this.#changedAt = undefined
  }

  /** The hardware's refresh period, as far as it is known. */
  get period(): Seconds {
    if (this.#intervals.length < remembered / 2) return seconds(assumedPeriod)
    // A quarter of them may be shorter, by a timer that fired late before and early after.
    const sorted = this.#intervals.toSorted((a, b) => a - b)
    return seconds(Math.min(longestPeriod, sorted[Math.floor(sorted.length / 4)] ?? assumedPeriod))
  }

  get energy(): Estimate<Joules> {
    return this.#integrator.energy
  }

  #observeChange(at: Seconds): void {
    if (this.#changedAt !== undefined && at > this.#changedAt) {
      this.#intervals.push(at - this.#changedAt)
      if (this.#intervals.length > remembered) this.#intervals.shift()
    }
    this.#changedAt = at
  }
}
