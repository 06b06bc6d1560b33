import type { EmissionsData, TaskEmissionsData } from './emissions-data.ts'
import type { HostView } from './host-share.ts'
import type { ModelCallUse } from './model-calls.ts'
import type { ScopeRecord } from './scope-record.ts'
import type { Snapshot } from './snapshot.ts'
import type { Seconds } from './units.ts'
import type { Usage } from './usage.ts'

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
  /** Nothing keeps the process alive any more: nothing later may be sent over a network. @default false */
  readonly mayBeLast?: boolean
}

/** How an exporter has been doing. */
export interface ExporterHealth {
  readonly name: string
  /** Wall-clock time of its last success in milliseconds since 1970; `undefined` before the first. */
  readonly lastSuccessMs: number | undefined
  /** What it said last, where it has failed since its last success. */
  readonly error: string | undefined
  readonly failures: number
}

/** A run at the moment at which somebody from outside looks, complete and from one instant. */
export interface RunView {
  /** When the run began, in milliseconds since 1970. */
  readonly begunMs: number
  readonly snapshot: Snapshot
  /** The run so far. */
  readonly record: EmissionsData
  /** What the run has used so far, before PUE. */
  readonly used: Usage
  /** What it used while no task was running, before PUE. */
  readonly unattributed: Usage
  /** The tracked process tree's share, where one is followed, before PUE. */
  readonly process: Usage | undefined
  /** Calls of models so far, by model. What they may have used elsewhere is in none of the figures of the run. */
  readonly modelCalls: readonly ModelCallUse[]
  /** What it tells of the whole machine where its figures meet those of other runs. */
  readonly host: HostView
  readonly exporters: readonly ExporterHealth[]
  /** Between two measurements, as the run was asked for. */
  readonly interval: Seconds
  /** Resident memory of this process. */
  readonly residentBytes: number
}

/** Hands figures to one destination. One that throws, rejects or hangs delays nobody else. */
export interface Exporter {
  readonly name: string
  /** Whether its figures meet those of other runs of the machine, where somebody may sum them up. */
  readonly isShared?: boolean
  /**
   * Whether its figures go over a network, which takes time that a process which ends does not give. Where a program ends by itself it is asked for a `flush`
   * before; at any other end without a stop nothing more is sent.
   */
  readonly isRemote?: boolean
  /** Whether what it could not send is kept and sent another time, so that nothing is missing where a process ends. @default false */
  readonly keepsUnsent?: boolean
  /**
   * Called once, before the first report, for those that are asked from outside whenever somebody likes. Looking is cheap and changes nothing: what
   * it shows is up to a second old, so that nobody from outside can watch the hardware's counters closely. By `fail` they say what went wrong
   * between reports.
   */
  open?(look: () => RunView, fail?: (message: string) => void): void | Promise<void>
  /** A task has ended; called at once, beside the reports. */
  onTask?(task: TaskEmissionsData): void
  /** Scopes have ended, and what they used is known; called after a reading with those since the last one. */
  onScopes?(ended: readonly ScopeRecord[]): void
  /** A measurement has been made, which took so long; called at once. */
  onTick?(took: Seconds): void
  export(report: Report): void | Promise<void>
  /**
   * The same without waiting for anything, for the moment at which a process ends. It may be given a report that `export` is still
   * busy with, and must then not write it twice.
   */
  exportSync?(report: Report): void
  /** Where a person finds what it was told; `undefined` where that is nowhere yet. */
  place?(): string | undefined
  /** Called once, after the last report. */
  close?(): void | Promise<void>
}
