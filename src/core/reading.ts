import type { Joules, Watts } from './units.ts'

/** How a figure was obtained: a hardware counter, sampled hardware power, or a model. */
export type Method = 'measured' | 'integrated' | 'estimated'

/** What a reading counts towards. `host` is a whole-machine figure: shown, never added to the parts. */
export type Component = 'cpu' | 'ram' | 'gpu' | 'host'

/** The parts of a computer that have a counter, or a model, of their own. */
export type DomainKind = 'package' | 'core' | 'uncore' | 'dram' | 'psys' | 'cpu' | 'ram' | 'gpu' | 'other'

/** The energy of one domain since its probe was opened. Never decreases. */
export interface Reading {
  /** Unique in a snapshot: `package-0`, `dram-1`, `cpu`. */
  readonly domain: string
  readonly kind: DomainKind
  readonly component: Component
  /** The domain that already contains this one's energy; totals count only readings without one. */
  readonly parent?: string
  readonly method: Method
  /** Name of the probe that read it. */
  readonly probe: string
  readonly energy: Joules
  /** Ends of the interval around `energy`; the same number where a counter was read. */
  readonly low: Joules
  readonly high: Joules
  /** The part of `energy` that was told in other ways before, where the way has changed. */
  readonly earlier?: readonly { readonly method: Method; readonly energy: Joules }[]
  /** The part of `energy` that is there because the machine is busy, where a model tells it from the part that is there at idle. */
  readonly dynamic?: Joules
  /** The power that the device is made for (TDP), or allowed to draw, where it tells. */
  readonly powerLimit?: Watts | undefined
  /** How often its counter started again from zero, of counters that do. */
  readonly wraps?: CounterWraps
}

/** How often a counter started again from zero. */
export interface CounterWraps {
  /** Times that were seen. */
  readonly sure: number
  /** Times in which it was not read for so long that it may have happened unseen, more than once. */
  readonly suspected: number
}
