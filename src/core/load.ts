import type { Ratio, Seconds } from './units.ts'

/** How busy the machine is, as counters and levels. What the system does not tell is absent. */
export interface Load {
  /** Time that all logical CPUs together have been busy; cumulative. */
  readonly cpuBusy?: Seconds
  /** Time that all logical CPUs together have had; cumulative. */
  readonly cpuCapacity?: Seconds
  readonly memoryUsedBytes?: number
  readonly memoryTotalBytes?: number
  /** Share of time in which the graphics processors were busy, in the mean. */
  readonly gpuUtilisation?: Ratio
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
  /** Numbers of its processes that are there now. */
  readonly pids?: ReadonlySet<number>
}

/** Tells the shares of processes in the work of each graphics processor since it was last asked, by domain and process number. */
export type GpuUseSource = () => ReadonlyMap<string, ReadonlyMap<number, Ratio>>

/** Tells what a process tree uses; `undefined` where the system would not say this time. */
export interface TreeSource {
  read(): TreeUse | undefined
}
