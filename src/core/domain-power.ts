import type { Reading } from './reading.ts'
import { joules, powerOver, seconds, type Joules, type Seconds, type Watts } from './units.ts'

/** Counters step by up to 10 ms, so a power over less than this would be mostly rounding. */
const minWindowSeconds = 0.5

/** The mean power of each domain between two looks that are far enough apart. */
export class DomainPower {
  #from: Look | undefined
  #power: Readonly<Record<string, Watts>> = {}

  /** Takes the readings of now. @returns the power of the domains over the last window that has passed; none before the first */
  over(readings: readonly Reading[], at: Seconds): Readonly<Record<string, Watts>> {
    const before = this.#from
    if (before !== undefined && at - before.at < minWindowSeconds) return this.#power
    this.#from = { at, energy: new Map(readings.map(({ domain, energy }) => [domain, energy])) }
    if (before === undefined) return this.#power
    const time = seconds(at - before.at)
    const entries = readings.flatMap(({ domain, energy }) => {
      const last = before.energy.get(domain)
      const power = last === undefined ? undefined : powerOver(joules(Math.max(0, energy - last)), time)
      return power === undefined ? [] : [[domain, power] as const]
    })
    this.#power = Object.fromEntries(entries)
    return this.#power
  }
}

interface Look {
  readonly at: Seconds
  readonly energy: ReadonlyMap<string, Joules>
}
