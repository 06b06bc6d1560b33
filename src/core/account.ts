import { noTotals, totalsOf, type Interval, type Totals } from './interval.ts'
import { addUsage, noUsage, type Usage } from './usage.ts'
import { grams, joules } from './units.ts'

/** What a scope has been given: what is known, and its part of the last interval that it took part in, whose worth may not be known yet. */
export class Account {
  #known: Usage = noUsage
  #last: Interval | undefined
  #perScope = 0
  #alone = 0

  /** Whether all of it is known. */
  get isSettled(): boolean {
    return this.#last?.isClosed ?? true
  }

  /** Whether anybody told of any component in its time. */
  get isTold(): boolean {
    return this.#last?.isTold === true || Object.keys(this.#known.energy).length > 0
  }

  /** Adds a part of an interval: seconds per active scope, and seconds as the only one. */
  add(interval: Interval, perScope: number, alone: number): void {
    if (perScope === 0) return
    if (this.#last !== interval) {
      this.#fold()
      this.#last = interval
    }
    this.#perScope += perScope
    this.#alone += alone
  }

  addKnown(usage: Usage, weight = 1): void {
    this.#known = addUsage(this.#known, usage, weight)
  }

  /** Adds another account, or takes it away. */
  merge(other: Account, weight = 1): void {
    this.addKnown(other.#known, weight)
    if (other.#last === undefined) return
    if (other.#last.isClosed) this.addKnown(other.#last.worth(other.#perScope, other.#alone), weight)
    else this.add(other.#last, weight * other.#perScope, weight * other.#alone)
  }

  /** As much of it as is known. */
  usage(): Usage {
    return this.#last?.isClosed === true
      ? addUsage(this.#known, this.#last.worth(this.#perScope, this.#alone))
      : this.#known
  }

  /** The same in two numbers, which is cheap for what took part in one interval. */
  totals(): Totals {
    const last = this.#last?.isClosed === true ? this.#last.totals(this.#perScope, this.#alone) : noTotals
    if (this.#known === noUsage) return last
    const { energy, emissions } = totalsOf(this.#known)
    return { energy: joules(energy + last.energy), emissions: grams(emissions + last.emissions) }
  }

  /** A later interval has begun, so the last one has ended. */
  #fold(): void {
    if (this.#last !== undefined) this.addKnown(this.#last.worth(this.#perScope, this.#alone))
    this.#last = undefined
    this.#perScope = 0
    this.#alone = 0
  }
}
