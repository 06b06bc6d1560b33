import type { Instant } from './clock.ts'
import type { Load } from './load.ts'
import type { ProblemCount } from './problem.ts'
import type { Reading } from './reading.ts'
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
  readonly load: Load
  /** Problems so far, each with its count. */
  readonly problems: readonly ProblemCount[]
}
