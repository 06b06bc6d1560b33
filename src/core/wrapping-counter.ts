import type { Estimate } from './estimate.ts'
import type { CounterWraps } from './reading.ts'
import { joules, seconds, type Joules, type Seconds, type Watts } from './units.ts'

/** How a hardware counter behaves. */
export interface WrappingCounterOptions {
  /** Energy at which the counter starts again from zero; `undefined` where the hardware does not tell. */
  readonly range?: Joules | undefined
  /** More power than the counted part can ever draw: a fall that would need more is a reset, not a wrap. */
  readonly maxPower: Watts
}

/** Tolerance of the plausibility test, so that the hardware's own refresh period never makes a wrap look like a reset. */
const slackSeconds = 1

/**
 * What an update meant: counted, counted with inferred wraps, counted though it is more than there can be, or the time since the last
 * good value is lost.
 */
export type CounterUpdate = 'counted' | 'guessed' | 'jumped' | 'gap'

/**
 * Turns the raw values of a counter that wraps into energy since the first one. Never decreases, invents nothing.
 *
 * - A fall is a wrap where the range is known and the power it implies is possible; else the counter was reset,
 *   and the interval is a gap: counted as nothing and reported.
 * - Where so much time passed that the counter may have wrapped more than once, the number of wraps is the one closest to the
 *   power seen before; the interval's ends are the fewest and the most wraps possible.
 * - A rise beyond any possible power is counted, since nobody knows better, but its interval begins without it.
 * - A read that failed is simply not given to `update`: the next good value has the energy of both intervals.
 */
export class WrappingCounter {
  readonly #range: number
  readonly #maxPower: number
  #last: number | undefined
  #lastAt: number | undefined
  #lastPower: number | undefined
  /** How it was before the last update, where that one was a fall. */
  #beforeFall: { readonly raw: number; readonly at: number | undefined; readonly energy: number } | undefined
  /** Energy that a misreading was counted for: what comes next is set off against it, so that nothing decreases. */
  #owed = 0
  #wraps: CounterWraps = { sure: 0, suspected: 0 }
  #energy = 0
  #low = 0
  #high = 0

  constructor(options: WrappingCounterOptions) {
    this.#range = options.range !== undefined && options.range > 0 ? options.range : 0
    this.#maxPower = options.maxPower
  }

  /** Longest time between two values in which the counter cannot wrap twice; `undefined` where its range is not known, or useless. */
  get unambiguous(): Seconds | undefined {
    const time = this.#range / this.#maxPower
    return time >= slackSeconds ? seconds(time) : undefined
  }

  get energy(): Joules {
    return joules(this.#energy)
  }

  get wraps(): CounterWraps {
    return this.#wraps
  }

  get total(): Estimate<Joules> {
    return { value: joules(this.#energy), low: joules(this.#low), high: joules(this.#high) }
  }

  /**
   * Takes a raw value. `resumed` says that the machine slept since the last one; the time may be left out where only the starting
   * point is set.
   */
  update(raw: Joules, at?: Seconds, resumed = false): CounterUpdate {
    const glitch = this.#isGlitchOver(raw, at) ? this.#beforeFall : undefined
    if (glitch !== undefined) this.#owed += this.#energy - glitch.energy
    this.#beforeFall = undefined
    const last = glitch?.raw ?? this.#last
    const lastAt = glitch?.at ?? this.#lastAt
    const elapsed = at === undefined ? 0 : at - (lastAt ?? at)
    this.#last = raw
    this.#lastAt = at
    if (last === undefined) return 'counted'
    if (raw < last) this.#beforeFall = { raw: last, at: lastAt, energy: this.#energy }

    const least = raw - last
    if (at !== undefined && !resumed && least > this.#maxPower * (elapsed + slackSeconds)) {
      this.#add(least, 0, least, 0, false)
      return 'jumped'
    }
    if (this.#range === 0) return this.#add(least, least, least, elapsed, least < 0)

    const fewest = least < 0 ? least + this.#range : least
    const isReset = least < 0 && (resumed || fewest > this.#maxPower * (elapsed + slackSeconds))
    if (isReset) return this.#add(0, 0, 0, elapsed, true)
    if (least < 0) this.#wraps = { ...this.#wraps, sure: this.#wraps.sure + 1 }

    const most = this.#maxPower * elapsed
    const wrapsUnseen = fewest + this.#range <= most && this.#range >= this.#maxPower * slackSeconds
    if (!wrapsUnseen) return this.#add(fewest, fewest, fewest, elapsed, false)

    this.#wraps = { ...this.#wraps, suspected: this.#wraps.suspected + 1 }
    const mostWraps = Math.floor((most - fewest) / this.#range)
    const expected = (this.#lastPower ?? 0) * elapsed
    const wraps = Math.min(mostWraps, Math.max(0, Math.round((expected - fewest) / this.#range)))
    this.#add(fewest + wraps * this.#range, fewest, fewest + mostWraps * this.#range, elapsed, false)
    return 'guessed'
  }

  /** True for a fall, and for a rise beyond any possible power: worth a second look before it is given to {@link update}. */
  isDoubtful(raw: Joules, at: Seconds): boolean {
    if (this.#last === undefined || this.#lastAt === undefined) return false
    return raw < this.#last || raw - this.#last > this.#maxPower * (at - this.#lastAt + slackSeconds)
  }

  /** True where the value before a fall has come back, by a rise that no hardware could have made: the fall was a misreading. */
  #isGlitchOver(raw: number, at: number | undefined): boolean {
    const before = this.#beforeFall
    if (before === undefined || this.#last === undefined || raw < before.raw) return false
    const elapsed = at === undefined ? 0 : at - (this.#lastAt ?? at)
    return raw - this.#last > this.#maxPower * (elapsed + slackSeconds)
  }

  /** Goes on from another raw value, for which nothing is counted: what is read from now on is another counter. */
  rebase(raw: Joules, at: Seconds): void {
    this.#last = raw
    this.#lastAt = at
  }

  #add(value: number, low: number, high: number, elapsed: number, gap: boolean): 'counted' | 'gap' {
    if (gap) return 'gap'
    const paid = Math.min(this.#owed, value)
    this.#owed -= paid
    this.#energy += value - paid
    this.#low += Math.max(0, low - paid)
    this.#high += high - paid
    if (elapsed > 0) this.#lastPower = value / elapsed
    return 'counted'
  }
}
