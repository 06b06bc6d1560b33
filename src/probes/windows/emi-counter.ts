import type { ReadContext } from '../../core/probe.ts'
import type { Problem } from '../../core/problem.ts'
import type { Reading } from '../../core/reading.ts'
import { watts, type Joules, type Seconds } from '../../core/units.ts'
import { WrappingCounter } from '../../core/wrapping-counter.ts'
import type { EmiPlace } from './emi-channel.ts'
import { emiRange } from './emi-metadata.ts'

/** Twice the highest maximum power of a processor package on the market (Intel Xeon 6980P, 500 W: data/cpu-tdp.json). */
const maxPackagePower = watts(1000)
/** The platform domain holds several packages and everything around them. */
const maxPlatformPower = watts(8000)
/** A package that is on draws power: one that counted nothing for so long, over so many reads, is not counted by anything. */
const stillSeconds = 10
const stillReads = 8

/** The counter of one channel: its wraps undone, its failures told. */
export class EmiCounter {
  readonly place: EmiPlace
  readonly #counter: WrappingCounter
  #mayHaveRestarted = false
  #isFresh = false
  #last: Joules
  #movedAt: Seconds | undefined
  #stillFor = 0

  constructor(place: EmiPlace, first: Joules) {
    this.place = place
    this.#counter = new WrappingCounter({
      range: emiRange,
      maxPower: place.kind === 'psys' ? maxPlatformPower : maxPackagePower,
    })
    this.#counter.update(first)
    this.#last = first
  }

  /** True where a second look is worth its while before this value is given to {@link update}. */
  isDoubtful(raw: Joules, at: Seconds): boolean {
    return this.#counter.isDoubtful(raw, at)
  }

  /** Notes that its device was opened anew: a fall is then no wrap. */
  reopened(): void {
    this.#mayHaveRestarted = true
  }

  update(raw: Joules, { at, resumed }: ReadContext, gap: Seconds): Problem | undefined {
    this.#mayHaveRestarted ||= resumed
    if (this.#standsStill(raw, at)) {
      const still = (at - (this.#movedAt ?? at)).toFixed(0)
      return this.fail(
        'ERR_PROBE_READ',
        `its counter has stood still for ${still} s, which no hardware does`,
        gap,
      )
    }
    const kind = this.#counter.update(raw, at, this.#mayHaveRestarted)
    this.#mayHaveRestarted = false
    this.#isFresh = true
    if (kind === 'counted' || kind === 'guessed') return undefined
    const message =
      kind === 'gap'
        ? 'its counter started again from a lower value'
        : 'its counter rose by more than the hardware can use; the interval says with and without that rise'
    return this.#problem('ERR_COUNTER_GAP', message, gap)
  }

  /** Makes the domain absent until the next good value, which holds what was used meanwhile. */
  fail(code: Problem['code'], message: string, gap: Seconds): Problem {
    this.#isFresh = false
    return this.#problem(code, message, gap)
  }

  /** `undefined` after a read that failed. */
  reading(): Reading | undefined {
    if (!this.#isFresh) return undefined
    const { value, low, high } = this.#counter.total
    return {
      ...this.place,
      method: 'measured',
      probe: 'emi',
      energy: value,
      low,
      high,
      wraps: this.#counter.wraps,
    }
  }

  #standsStill(raw: Joules, at: Seconds): boolean {
    this.#stillFor = raw === this.#last && this.#movedAt !== undefined ? this.#stillFor + 1 : 0
    if (this.#stillFor === 0) this.#movedAt = at
    this.#last = raw
    const isStill = this.#stillFor >= stillReads && at - (this.#movedAt ?? at) >= stillSeconds
    return isStill && this.place.kind === 'package'
  }

  #problem(code: Problem['code'], message: string, gap: Seconds): Problem {
    const { domain } = this.place
    return { code, subject: domain, message: `${domain}: ${message}`, gap }
  }
}
