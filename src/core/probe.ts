import type { Problem } from './problem.ts'
import type { Reading } from './reading.ts'
import type { Seconds } from './units.ts'

/** When a probe is asked, and what happened to time since it was last asked. */
export interface ReadContext {
  /** Monotonic time of this read. */
  readonly at: Seconds
  /** True when the machine slept since the last read, so that counters may have started anew. */
  readonly resumed: boolean
}

/** What one read of a probe gives: readings, and the problems beside them. A domain that failed is absent. */
export interface ProbeResult {
  readonly readings: readonly Reading[]
  readonly problems: readonly Problem[]
}

/** Reads hardware, or a model of it. Synchronous, cheap, never throws, changes nothing by being asked. */
export interface Probe {
  readonly name: string
  /** Models of a changing load need to look at least this often to stay true. */
  readonly maxInterval?: Seconds
  read(context: ReadContext): ProbeResult
  /** Releases what was opened. Reads afterwards give no readings. */
  close?(): void
}
