import type { Estimate } from '../../core/estimate.ts'
import { Integrator } from '../../core/integrator.ts'
import { ratio, seconds, type Joules, type Seconds, type Watts } from '../../core/units.ts'
import type { GpuPart } from '../../gpu/find-gpu.ts'
import { estimateGpuPower } from '../../gpu/gpu-power-model.ts'
import type { NvmlDevice } from './binding.ts'
import { bridgedSeconds, missed, type EnergySource } from './energy-source.ts'

/** NVML's utilisation is a mean over a sixth of a second to a second, by product: looking more often shows the same again. */
const usePeriod = seconds(1)

/** The model of the card's power, from how busy it is. */
export class ModelSource implements EnergySource {
  readonly method = 'estimated'
  readonly period: Seconds = usePeriod
  readonly #energy = new Integrator()
  readonly #part: GpuPart
  readonly #limit: Watts | undefined
  #lastAt: Seconds | undefined
  #hasMissed = false

  constructor(part: GpuPart, limit: Watts | undefined) {
    this.#part = part
    this.#limit = limit
  }

  get energy(): Estimate<Joules> {
    return this.#energy.energy
  }

  read(device: NvmlDevice, at: Seconds, resumed: boolean): string | undefined {
    const hadMissed = this.#hasMissed
    this.#hasMissed = true
    const use = ratio(device.utilisationPercent() / 100)
    this.#hasMissed = false
    const since = seconds(at - (this.#lastAt ?? at))
    const isGap = hadMissed && since > bridgedSeconds
    if (!isGap && !resumed) this.#energy.hold(estimateGpuPower(this.#part, use, this.#limit), since)
    this.#lastAt = at
    return isGap ? missed(since) : undefined
  }

  miss(): void {
    this.#hasMissed = true
  }
}
