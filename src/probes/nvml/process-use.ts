import { ratio, type Ratio } from '../../core/units.ts'
import type { NvmlDevice } from './binding.ts'
import { NvmlError } from './return-code.ts'

/** Whose work a card did. Process ids are those of the host, which are others than those inside a container. */
export interface GpuProcessUse {
  /** As in the readings: `gpu:GPU-…`. */
  readonly domain: string
  /** By process id; the shares of all sum to 1. None where nobody used the card. */
  readonly shares: ReadonlyMap<number, Ratio>
  /** By how busy each kept the card, or the same for each that has it open. */
  readonly by: 'utilisation' | 'presence'
}

/** Asks one card whose work it does. */
export class ProcessUse {
  readonly #domain: string
  #seenUntil: bigint
  #present: readonly number[] = []

  /** @param wallMs from when on samples count */
  constructor(domain: string, wallMs: number) {
    this.#domain = domain
    this.#seenUntil = BigInt(Math.floor(wallMs)) * 1000n
  }

  /** Since it was last asked; `undefined` where the card does not tell. */
  read(device: NvmlDevice): GpuProcessUse | undefined {
    const busy = orUndefined(() => this.#readBusy(device))
    if (busy !== undefined && busy.size > 0) {
      const total = [...busy.values()].reduce((sum, use) => sum + use, 0)
      const shares = new Map([...busy].map(([pid, use]) => [pid, ratio(use / total)]))
      return { domain: this.#domain, shares, by: 'utilisation' }
    }
    const present = orUndefined(() => device.processes())
    if (present === undefined) return undefined
    // Those that ended since are in the last list alone.
    const all = new Set([...this.#present, ...present])
    this.#present = present
    const shares = new Map([...all].map((pid) => [pid, ratio(1 / all.size)]))
    return { domain: this.#domain, shares, by: 'presence' }
  }

  /** Sums of the samples by process, of those that were busy at all. */
  #readBusy(device: NvmlDevice): ReadonlyMap<number, number> {
    const sums = new Map<number, number>()
    for (const { pid, utilisation, atMicroseconds } of device.processSamples(this.#seenUntil)) {
      if (atMicroseconds > this.#seenUntil) this.#seenUntil = atMicroseconds
      if (utilisation > 0) sums.set(pid, (sums.get(pid) ?? 0) + utilisation)
    }
    return sums
  }
}

function orUndefined<T>(ask: () => T): T | undefined {
  try {
    return ask()
  } catch (error) {
    if (error instanceof NvmlError) return undefined
    throw error
  }
}
