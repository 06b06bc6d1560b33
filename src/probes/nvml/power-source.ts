import type { Estimate } from '../../core/estimate.ts'
import { watts, type Joules, type Seconds, type Watts } from '../../core/units.ts'
import { SampledPower } from '../sampled-power.ts'
import type { NvmlDevice } from './binding.ts'
import { bridgedSeconds, ImplausibleValue, missed, type EnergySource } from './energy-source.ts'

/** The power that the card shows, summed up. */
export class PowerSource implements EnergySource {
  readonly method = 'integrated'
  readonly #power = new SampledPower()
  readonly #maxPower: Watts
  #lastAt: Seconds | undefined
  #hasMissed = false

  constructor(maxPower: Watts) {
    this.#maxPower = maxPower
  }

  get energy(): Estimate<Joules> {
    return this.#power.energy
  }

  get period(): Seconds {
    return this.#power.period
  }

  read(device: NvmlDevice, at: Seconds, resumed: boolean): string | undefined {
    const hadMissed = this.#hasMissed
    this.#hasMissed = true
    const now = readPower(device, this.#maxPower)
    this.#hasMissed = false
    const since = at - (this.#lastAt ?? at)
    const isGap = hadMissed && since > bridgedSeconds
    if (isGap || resumed) this.#power.skip()
    this.#lastAt = at
    this.#power.look(now, at)
    return isGap ? missed(since) : undefined
  }

  miss(): void {
    this.#hasMissed = true
  }
}

function readPower(device: NvmlDevice, maxPower: Watts): Watts {
  const power = watts(device.powerMilliwatts() / 1000)
  if (power > maxPower) throw new ImplausibleValue(`it shows ${power} W, more than the card can draw`)
  // A card that answers is powered.
  if (power <= 0) throw new ImplausibleValue('it shows 0 W, which no card draws that is on')
  return power
}
