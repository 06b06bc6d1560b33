import type { Estimate } from './estimate.ts'
import { joules, type Joules, type Seconds, type Watts } from './units.ts'

/** Adds up power over elapsed time into energy. Never decreases; a span that nobody could tell is not given. */
export class Integrator {
  #value = 0
  #low = 0
  #high = 0
  #lastPower: number | undefined
  #lastAt = 0

  /** Adds a mean power that held for a time, with its interval. */
  hold(power: Estimate<Watts>, time: Seconds): void {
    if (time <= 0) return
    this.#value += power.value * time
    this.#low += power.low * time
    this.#high += power.high * time
  }

  /**
   * Adds an instantaneous power: the trapezium between it and the last one. The first sample, and the first after {@link skip},
   * only sets the starting point.
   */
  sample(power: Watts, at: Seconds): void {
    const last = this.#lastPower
    const time = at - this.#lastAt
    if (last !== undefined && time > 0) {
      const energy = ((last + power) / 2) * time
      this.#value += energy
      this.#low += energy
      this.#high += energy
    }
    this.#lastPower = power
    this.#lastAt = at
  }

  /** Forgets the last sample, so that the time up to the next one counts as a gap and not as energy. */
  skip(): void {
    this.#lastPower = undefined
  }

  get energy(): Estimate<Joules> {
    return { value: joules(this.#value), low: joules(this.#low), high: joules(this.#high) }
  }
}
