import type { Instant } from './clock.ts'
import type { Load } from './load.ts'
import type { ProblemCount } from './problem.ts'
import type { Reading } from './reading.ts'
import type { Joules, Seconds, Watts } from './units.ts'
import type { Usage } from './usage.ts'

/** Everything the meter knows at one instant. Immutable: looking changes nothing. */
export interface Snapshot {
  readonly at: Instant
  /** The domains that could be read now, each since its probe was opened. */
  readonly readings: readonly Reading[]
  /** What the whole machine has used since the meter was opened; roots of the domain tree only. */
  readonly machine: Usage
  /** The tracked process tree's share of it, where a tree is tracked. */
  readonly tree?: Usage
  /** Mean power of each domain over the last measurement or so; one that was not read then is absent. */
  readonly power: Readonly<Record<string, Watts>>
  readonly load: Load
  /** Time that reading the hardware and keeping the books has taken since the meter was opened. */
  readonly selfTime: Seconds
  /** The part of it that this reading took. */
  readonly took: Seconds
  /** What that time took of the processors' energy, by its share of the CPU time; `undefined` where that is not told. */
  readonly selfEnergy: Joules | undefined
  /** Problems so far, each with its count. */
  readonly problems: readonly ProblemCount[]
}
