import type { Probe } from '../core/probe.ts'
import type { Problem } from '../core/problem.ts'
import type { Method } from '../core/reading.ts'
import type { Ratio } from '../core/units.ts'
import type { Refusal } from '../probes/detector.ts'

/** A graphics card that counts and says who it is. */
export interface GpuCard {
  /** By which `gpu_ids` chooses it, among the cards of its maker. */
  readonly index: number
  readonly name: string
  readonly id: string
  /** `undefined` where nobody tells its energy. */
  readonly method: Method | undefined
  /** By which probe, or why nobody tells its energy. */
  readonly how: string
}

/** The graphics cards of one maker on this machine. */
export interface MakerCards {
  readonly probe: Probe | undefined
  /** Settles when what reads them is open, or cannot be; never rejects. */
  readonly opened: Promise<void>
  /** What is known to be wrong at once. */
  readonly problems: readonly Problem[]
  cards(): readonly GpuCard[]
  /** How many count, whether anybody reads them or not; `undefined` where nobody can tell. */
  count(): number | undefined
  /** How many there are, chosen or not, as far as anybody can tell. */
  installed(): number
  /** Why a better way, or any, is not taken. */
  refused(): readonly Refusal[]
  utilisation(): Ratio | undefined
  /** Shares of the work of each card, by its domain and by the numbers of processes, since this was last asked. */
  processUse(): ReadonlyMap<string, ReadonlyMap<number, Ratio>>
}

/** What was looked at when the makers were told apart. */
export interface Bus {
  /** Graphics processors of each vendor on the PCI bus; `undefined` where it cannot be listed. */
  readonly present: readonly string[] | undefined
  /** Whether the bus tells of all of them. */
  readonly isWhole: boolean
}

/** How many of a vendor's there are on the bus; `undefined` where it does not tell. */
export const onBus = ({ present, isWhole }: Bus, vendor: string): number | undefined => {
  const count = (present ?? []).filter((found) => found === vendor).length
  return count > 0 || isWhole ? count : undefined
}
