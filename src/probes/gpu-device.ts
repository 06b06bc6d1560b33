import type { Method } from '../core/reading.ts'
import { ratio, type Ratio, type Watts } from '../core/units.ts'

/** A card that counts, as far as it tells. */
export interface GpuDevice {
  /** As in the readings: `gpu:GPU-…`. */
  readonly domain: string
  /** In the order of the PCI bus. */
  readonly index: number
  readonly uuid: string
  readonly name: string
  readonly pciBusId: string | undefined
  readonly driver: string | undefined
  readonly powerLimitWatts: Watts | undefined
  readonly memoryTotalBytes: number | undefined
  readonly memoryUsedBytes: number | undefined
  /** Share of time in which it was busy, when it was last read. */
  readonly utilisation: Ratio | undefined
  /** `undefined` where its energy is unmeasured. */
  readonly method: Method | undefined
  /** Why its energy is unmeasured. */
  readonly unmeasured: string | undefined
}

/** What is known of the cards when they have been listed. */
export interface ListedGpus {
  readonly installed: number
  /** How many of them count, told apart or not; `undefined` where cards were named and none of them is here. */
  readonly counted: number | undefined
}

/** How busy several cards are in the mean; `undefined` where none tells. */
export function meanUse(cards: readonly { readonly use: Ratio | undefined }[]): Ratio | undefined {
  const uses = cards.flatMap(({ use }) => use ?? [])
  return uses.length === 0 ? undefined : ratio(uses.reduce((sum, use) => sum + use, 0) / uses.length)
}
