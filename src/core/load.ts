import type { Seconds } from './units.ts'

/** How busy the machine is, as counters and levels. What the system does not tell is absent. */
export interface Load {
  /** Time that all logical CPUs together have been busy; cumulative. */
  readonly cpuBusy?: Seconds
  /** Time that all logical CPUs together have had; cumulative. */
  readonly cpuCapacity?: Seconds
  readonly memoryUsedBytes?: number
  readonly memoryTotalBytes?: number
}

/** Tells the machine's load. Synchronous; an absent field rather than an error. */
export interface LoadSource {
  read(at: Seconds): Load
  close?(): void
}

/** Tells the CPUs' mean frequency over their base frequency; `undefined` where the system does not tell. */
export interface FrequencySource {
  read(at: Seconds): number | undefined
  close(): void
}

/** What a process tree has used so far. */
export interface TreeUse {
  /** CPU time of the tree's processes, living and dead; cumulative. */
  readonly cpu: Seconds
  readonly residentBytes: number
}

/** Tells what a process tree uses; `undefined` where the system would not say this time. */
export interface TreeSource {
  read(): TreeUse | undefined
}
