import type { Estimate } from '../../core/estimate.ts'
import { joules, seconds, type Joules, type Seconds, type Watts } from '../../core/units.ts'
import { WrappingCounter } from '../../core/wrapping-counter.ts'
import type { NvmlDevice } from './binding.ts'
import { ImplausibleValue, type EnergySource } from './energy-source.ts'

/** A counter that does not count. */
export class DeadCounter extends Error {
  /** For how long. */
  readonly still: Seconds

  constructor(still: Seconds) {
    super(`its counter has stood still for ${still.toFixed(0)} s`)
    this.still = still
  }
}

/** Cards renew their counter every 20 to 100 ms (Alumet), so one that shows the same for so long is none. Virtual ones do so. */
const deadSeconds = 3
const deadLooks = 3

/** The card's own counter of millijoules, 64 bits wide: it starts again with the driver, and does not wrap. */
export class CounterSource implements EnergySource {
  readonly method = 'measured'
  readonly #counter: WrappingCounter
  readonly #maxPower: Watts
  #last: Joules | undefined
  #lastAt = seconds(0)
  /** What it showed before it fell: where that comes back, the fall was a misreading. */
  #before: Joules | undefined
  #movedAt = seconds(0)
  #stillLooks = 0

  constructor(maxPower: Watts) {
    this.#maxPower = maxPower
    this.#counter = new WrappingCounter({ maxPower })
  }

  get energy(): Estimate<Joules> {
    const { energy } = this.#counter
    return { value: energy, low: energy, high: energy }
  }

  read(device: NvmlDevice, at: Seconds, resumed: boolean): string | undefined {
    const last = this.#last
    let raw = readCounter(device)
    // A misreading is over by the next look; a value that stays is the counter's.
    if (last !== undefined && !this.#isPossible(raw, last, at)) raw = readCounter(device)

    if (raw !== last) {
      this.#stillLooks = 0
      this.#movedAt = at
    } else if (++this.#stillLooks >= deadLooks && at - this.#movedAt >= deadSeconds) {
      throw new DeadCounter(seconds(at - this.#movedAt))
    }
    const from = this.#before !== undefined && raw >= this.#before ? this.#before : last
    const hasJumped = from !== undefined && raw > from && !this.#isPossible(raw, from, at)
    this.#before = last !== undefined && raw < last ? last : undefined
    this.#last = raw
    this.#lastAt = at
    if (hasJumped) {
      this.#counter.rebase(raw, at)
      return 'its counter rose by more than the card can use; that rise is not counted'
    }
    return this.#counter.update(raw, at, resumed) === 'gap'
      ? 'its counter started again from a lower value, as it does with the driver'
      : undefined
  }

  /** A second of tolerance, so that the card's own refresh period never makes energy look like a jump. */
  #isPossible(raw: Joules, from: Joules, at: Seconds): boolean {
    return raw >= from && raw - from <= this.#maxPower * (at - this.#lastAt + 1)
  }
}

/** Beyond it are the values that stand for "not available", such as 2^64 - 1 and 2^63 - 14, and numbers that are not exact. */
const mostMillijoules = Number.MAX_SAFE_INTEGER

function readCounter(device: NvmlDevice): Joules {
  const millijoules = device.energyMillijoules()
  if (millijoules > mostMillijoules) {
    throw new ImplausibleValue(`its counter shows ${millijoules} mJ, which stands for "not available"`)
  }
  return joules(millijoules / 1000)
}
