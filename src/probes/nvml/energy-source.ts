import type { Estimate } from '../../core/estimate.ts'
import { Integrator } from '../../core/integrator.ts'
import type { Method } from '../../core/reading.ts'
import { joules, ratio, seconds, watts, type Joules, type Seconds, type Watts } from '../../core/units.ts'
import { WrappingCounter } from '../../core/wrapping-counter.ts'
import { estimateGpuPower } from '../../gpu/gpu-power-model.ts'
import type { GpuPart } from '../../gpu/find-gpu.ts'
import { SampledPower } from '../sampled-power.ts'
import type { NvmlDevice } from './binding.ts'

/** One way to tell the energy of a card since it was opened. */
export interface EnergySource {
  readonly method: Method
  readonly energy: Estimate<Joules>
  /** How soon the card may have something new to say; absent where nothing is lost by asking later. */
  readonly period?: Seconds
  /**
   * Takes a reading; `resumed` says that the machine slept since the last one. A sentence where the energy up to it is not known.
   * @throws what keeps the card from telling
   */
  read(device: NvmlDevice, at: Seconds, resumed: boolean): string | undefined
  /** Says that the card could not be asked for a while. */
  miss?(): void
}

/** A value that no card can have. */
export class ImplausibleValue extends Error {}

/** A counter that does not count. */
export class DeadCounter extends Error {
  /** For how long. */
  readonly still: Seconds

  constructor(still: Seconds) {
    super(`its counter has stood still for ${still.toFixed(0)} s`)
    this.still = still
  }
}

/** No card or module draws more: the largest ones are around 1.4 kW (data/gpu-power.json). */
const mostPower = watts(5000)
/** A card may exceed its power by this for 100 µs (power excursions in PCI Express CEM 5.0); a mean over longer never does. */
const overLimit = 3

/** More power than a card can have. */
export const mostPowerOf = (limit: Watts | undefined): Watts =>
  limit !== undefined && limit > 0 ? watts(Math.min(mostPower, overLimit * limit)) : mostPower

/** Cards renew their counter every 20 to 100 ms (Alumet), so one that shows the same for so long is none. Virtual ones do so. */
const deadSeconds = 3
const deadLooks = 3

/** The card's own counter of millijoules, 64 bits wide: it starts again with the driver, and does not wrap. */
export function createCounterSource(maxPower: Watts): EnergySource {
  const counter = new WrappingCounter({ maxPower })
  let last: Joules | undefined
  let lastAt = seconds(0)
  /** What it showed before it fell: where that comes back, the fall was a misreading. */
  let before: Joules | undefined
  let movedAt = seconds(0)
  let stillLooks = 0

  const isPossible = (raw: Joules, from: Joules, at: Seconds): boolean =>
    raw - from <= maxPower * (at - lastAt + 1)

  return {
    method: 'measured',
    get energy() {
      const { energy } = counter
      return { value: energy, low: energy, high: energy }
    },
    read(device, at, resumed) {
      let raw = readCounter(device)
      // A misreading is over by the next look; a value that stays is the counter's.
      if (counter.isDoubtful(raw, at)) raw = readCounter(device)

      stillLooks = raw === last ? stillLooks + 1 : 0
      if (stillLooks === 0) movedAt = at
      if (stillLooks >= deadLooks && at - movedAt >= deadSeconds) {
        throw new DeadCounter(seconds(at - movedAt))
      }
      const from = before !== undefined && raw >= before ? before : (last ?? raw)
      if (raw > from && !isPossible(raw, from, at)) {
        counter.rebase(raw, at)
        before = undefined
        last = raw
        lastAt = at
        return 'its counter rose by more than the card can use; that rise is not counted'
      }
      before = last !== undefined && raw < last ? last : undefined
      last = raw
      lastAt = at
      return counter.update(raw, at, resumed) === 'gap'
        ? 'its counter started again from a lower value, as it does with the driver'
        : undefined
    },
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

/** Failures that are over so soon lie within the time that the power is a mean of. */
const bridgedSeconds = 1

const missed = (since: number): string => `it told nothing for ${since.toFixed(1)} s, which are not counted`

/** The power that the card shows, summed up. */
export function createPowerSource(maxPower: Watts): EnergySource {
  const power = new SampledPower()
  let lastAt: Seconds | undefined
  let hasMissed = false

  return {
    method: 'integrated',
    get energy() {
      return power.energy
    },
    get period() {
      return power.period
    },
    read(device, at, resumed) {
      let now: Watts
      try {
        now = readPower(device, maxPower)
      } catch (error) {
        hasMissed = true
        throw error
      }
      const since = at - (lastAt ?? at)
      const isGap = hasMissed && since > bridgedSeconds
      if (isGap || resumed) power.skip()
      hasMissed = false
      lastAt = at
      power.look(now, at)
      return isGap ? missed(since) : undefined
    },
    miss() {
      hasMissed = true
    },
  }
}

function readPower(device: NvmlDevice, maxPower: Watts): Watts {
  const power = watts(device.powerMilliwatts() / 1000)
  if (power > maxPower) throw new ImplausibleValue(`it shows ${power} W, more than the card can draw`)
  // A card that answers is powered.
  if (power <= 0) throw new ImplausibleValue('it shows 0 W, which no card draws that is on')
  return power
}

/** NVML's utilisation is a mean over a sixth of a second to a second, by product: looking more often shows the same again. */
const usePeriod = seconds(1)

/** The model of the card's power, from how busy it is. */
export function createModelSource(part: GpuPart, limit: Watts | undefined): EnergySource {
  const energy = new Integrator()
  let lastAt: Seconds | undefined
  let hasMissed = false

  return {
    method: 'estimated',
    period: usePeriod,
    get energy() {
      return energy.energy
    },
    read(device, at, resumed) {
      let percent: number
      try {
        percent = device.utilisationPercent()
      } catch (error) {
        hasMissed = true
        throw error
      }
      const power = estimateGpuPower(part, ratio(percent / 100), limit)
      const since = seconds(at - (lastAt ?? at))
      const isGap = hasMissed && since > bridgedSeconds
      if (!resumed && !isGap) energy.hold(power, since)
      hasMissed = false
      lastAt = at
      return isGap ? missed(since) : undefined
    },
    miss() {
      hasMissed = true
    },
  }
}
