import type { Problem } from '../../core/problem.ts'
import { Integrator } from '../../core/integrator.ts'
import type { Method, Reading } from '../../core/reading.ts'
import { seconds, watts, type Ratio, type Seconds } from '../../core/units.ts'
import { findGpu, type GpuPart } from '../../gpu/find-gpu.ts'
import { estimateGpuPower } from '../../gpu/gpu-power-model.ts'
import type { GpuDevice } from '../gpu-device.ts'
import { SampledPower } from '../sampled-power.ts'
import type { SmiRow } from './smi-row.ts'

/** No card or module draws more: the largest ones are around 1.4 kW (data/gpu-power.json). */
const mostPower = watts(5000)
/** So long a program that lives may say nothing: the host program may have blocked its event loop, and reads it late. */
const silentSeconds = 30

/** One card as nvidia-smi shows it: its power summed up, or where it shows none, the model of it. */
export class SmiCard {
  readonly domain: string
  #row: SmiRow
  readonly #power = new SampledPower()
  readonly #model = new Integrator()
  readonly #part: GpuPart | undefined
  readonly #method: Method | undefined
  #rowAt: Seconds
  #updatedAt: Seconds | undefined
  #failure: string | undefined
  /** The time up to the next row is a gap. */
  #isCut = false

  constructor(row: SmiRow, at: Seconds) {
    this.domain = `gpu:${row.uuid}`
    this.#row = row
    this.#rowAt = at
    const showsPower = row.power !== undefined && isPlausible(row.power)
    this.#part = showsPower ? undefined : findGpu(row.name)
    const isModelled = this.#part !== undefined && row.utilisation !== undefined
    this.#method = showsPower ? 'integrated' : isModelled ? 'estimated' : undefined
    this.take(row, at)
  }

  get use(): Ratio | undefined {
    return this.#failure === undefined ? this.#row.utilisation : undefined
  }

  /** Why nobody can tell its energy; `undefined` where somebody can. */
  get unmeasured(): string | undefined {
    if (this.#method !== undefined) return undefined
    return this.#row.utilisation === undefined
      ? 'nvidia-smi shows neither its power nor how busy it is'
      : 'nvidia-smi does not show its power, and no card of this name is known'
  }

  /** Takes what nvidia-smi wrote. */
  take(row: SmiRow, at: Seconds): void {
    const elapsed = seconds(at - this.#rowAt)
    this.#row = row
    if (this.#method === 'integrated') this.#takePower(row, at)
    else if (this.#method === 'estimated') this.#takeUse(row, elapsed)
    this.#rowAt = at
  }

  /** Says that the program ended. */
  cut(because: string): void {
    this.#failure = because
    this.#isCut = true
  }

  /** The reading of this moment; a problem where the card was not shown, or not with its power. */
  read(at: Seconds): Reading | Problem | undefined {
    const gap = seconds(at - (this.#updatedAt ?? at))
    this.#updatedAt = at
    if (this.#method === undefined) return undefined
    const silent = at - this.#rowAt
    if (silent > silentSeconds && this.#failure === undefined) {
      this.cut(`nvidia-smi has not shown it for ${silent.toFixed(0)} s`)
    }
    if (this.#failure !== undefined) {
      const message = `graphics processor ${this.#row.index} (${this.#row.name}): ${this.#failure}`
      return { code: 'ERR_PROBE_READ', subject: this.domain, message, gap }
    }
    const { value, low, high } = this.#method === 'integrated' ? this.#power.energy : this.#model.energy
    return {
      domain: this.domain,
      kind: 'gpu',
      component: 'gpu',
      method: this.#method,
      probe: 'nvidia-smi',
      energy: value,
      low,
      high,
      powerLimit: this.#row.powerLimit,
    }
  }

  device(): GpuDevice {
    const { index, uuid, name, pciBusId, driver, powerLimit, memoryTotalBytes, memoryUsedBytes } = this.#row
    return {
      domain: this.domain,
      index,
      uuid,
      name,
      pciBusId,
      driver,
      powerLimitWatts: powerLimit,
      memoryTotalBytes,
      memoryUsedBytes,
      utilisation: this.use,
      method: this.#method,
      unmeasured: this.unmeasured,
    }
  }

  #takePower({ power }: SmiRow, at: Seconds): void {
    if (power === undefined || !isPlausible(power)) {
      this.cut(`nvidia-smi shows ${power === undefined ? 'no power' : `${power} W, which cannot be`}`)
      return
    }
    if (this.#isCut) this.#power.skip()
    this.#power.look(power, at)
    this.#recover()
  }

  #takeUse({ utilisation, powerLimit }: SmiRow, elapsed: Seconds): void {
    if (this.#part === undefined || utilisation === undefined) {
      this.cut('nvidia-smi does not show how busy it is')
      return
    }
    if (!this.#isCut) this.#model.hold(estimateGpuPower(this.#part, utilisation, powerLimit), elapsed)
    this.#recover()
  }

  #recover(): void {
    this.#isCut = false
    this.#failure = undefined
  }
}

/** A card that answers is powered. */
const isPlausible = (power: number): boolean => power > 0 && power <= mostPower
