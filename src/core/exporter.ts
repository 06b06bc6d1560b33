import type { EmissionsData, TaskEmissionsData } from './emissions-data.ts'
import type { Snapshot } from './snapshot.ts'

/**
 * Why figures are handed out: in between (`live`), because the program asked (`flush`), at the end (`stop`), because the process ends
 * without a stop (`exit`), or because a signal came that may end it (`signal`; the run may yet go on).
 */
export type Reason = 'live' | 'flush' | 'stop' | 'exit' | 'signal'

/** What exporters are given. Immutable. */
export interface Report {
  readonly reason: Reason
  readonly snapshot: Snapshot
  /** The run so far. */
  readonly total: EmissionsData
  /** What came since the last report. Powers and utilisations are those of that time. */
  readonly delta: EmissionsData
  /** Tasks that ended since the last report. */
  readonly tasks: readonly TaskEmissionsData[]
}

/** Hands figures to one destination. One that throws, rejects or hangs delays nobody else. */
export interface Exporter {
  readonly name: string
  export(report: Report): void | Promise<void>
  /**
   * The same without waiting for anything, for the moment at which a process ends. It may be given a report that `export` is still
   * busy with, and must then not write it twice.
   */
  exportSync?(report: Report): void
  /** Called once, after the last report. */
  close?(): void | Promise<void>
}
