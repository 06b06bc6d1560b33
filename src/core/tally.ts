import type { Component, Method, Reading } from './reading.ts'
import { grams, gramsAt, joules, seconds, type Seconds } from './units.ts'
import { countedComponents, type CountedComponent, type EnergyUse, type Usage } from './usage.ts'

/** Energy of one domain in one interval. */
export interface EnergyStep {
  /** Of a graphics processor, whose work is told by device. */
  readonly domain?: string
  readonly component: CountedComponent
  readonly method: Method
  readonly value: number
  readonly low: number
  readonly high: number
  /** The part of `value` that load adds to what is there at idle, where somebody tells. */
  readonly dynamic?: number | undefined
}

/** Running sum of energy and emissions; the one place where cumulative {@link Usage} is made. */
export class Tally {
  readonly #sums = new Map<Component, Sum>()
  readonly #emissions = { value: 0, low: 0, high: 0 }
  #time = 0
  #machineTime = 0

  /** Adds energy, or a share of it, at the carbon intensity (gCO2e/kWh) of this moment. */
  add(step: EnergyStep, gramsPerKwh: number, share = 1): void {
    const value = step.value * share
    const low = step.low * share
    const high = step.high * share
    const sum = this.#sumOf(step.component)
    sum.value += value
    sum.low += low
    sum.high += high
    sum[step.method] += value
    const mass = gramsAt(joules(value), gramsPerKwh)
    sum.emissions += mass
    this.#emissions.value += mass
    this.#emissions.low += gramsAt(joules(low), gramsPerKwh)
    this.#emissions.high += gramsAt(joules(high), gramsPerKwh)
  }

  /**
   * Notes that the energy of a component up to this moment is told: a counter that caught up tells of the whole time since it was read last,
   * or since `from` where this is the first time. What is integrated or estimated tells of the time since `notBefore` at most, since what it
   * did not see is lost to it.
   */
  tell(component: CountedComponent, at: Seconds, from: Seconds = at, notBefore?: Seconds): void {
    const sum = this.#sumOf(component)
    sum.told += at - Math.max(sum.toldAt ?? from, notBefore ?? -Infinity)
    sum.toldAt = at
  }

  /** Forgets components of which nothing was ever counted and that nobody tells of any more: they are unmeasured, not zero. */
  retain(told: ReadonlySet<Component>): void {
    for (const [component, sum] of this.#sums) {
      if (sum.high === 0 && !told.has(component)) this.#sums.delete(component)
    }
  }

  pass(time: Seconds): void {
    this.#time += time
  }

  /** Notes that the machine was taken up for this long, of the time that passes. */
  occupy(time: Seconds): void {
    this.#machineTime += time
  }

  usage(): Usage {
    const energy: Partial<Record<CountedComponent, EnergyUse>> = {}
    for (const component of countedComponents) {
      const sum = this.#sums.get(component)
      if (sum === undefined) continue
      energy[component] = {
        value: joules(sum.value),
        low: joules(sum.low),
        high: joules(sum.high),
        told: seconds(sum.told),
        emissions: grams(sum.emissions),
        methods: {
          measured: joules(sum.measured),
          integrated: joules(sum.integrated),
          estimated: joules(sum.estimated),
        },
      }
    }
    const { value, low, high } = this.#emissions
    return {
      time: seconds(this.#time),
      machineTime: seconds(this.#machineTime),
      energy,
      emissions: { value: grams(value), low: grams(low), high: grams(high) },
    }
  }

  #sumOf(component: CountedComponent): Sum {
    let sum = this.#sums.get(component)
    if (sum === undefined) {
      sum = {
        value: 0,
        low: 0,
        high: 0,
        told: 0,
        emissions: 0,
        toldAt: undefined,
        measured: 0,
        integrated: 0,
        estimated: 0,
      }
      this.#sums.set(component, sum)
    }
    return sum
  }
}

interface Sum extends Record<Method, number> {
  value: number
  low: number
  high: number
  told: number
  emissions: number
  toldAt: number | undefined
}

/** The component that a reading adds to the total; `undefined` for parts of another domain and whole-host figures. */
export function countedComponent(reading: Reading): CountedComponent | undefined {
  if (reading.parent !== undefined || reading.component === 'host') return undefined
  return reading.component
}
