import type { LoadMeans } from './to-emissions-data.ts'
import type { Snapshot } from './snapshot.ts'
import { toGibibytes } from './units.ts'

/** Levels over time, weighted by time, up to one snapshot. */
export interface LoadMark {
  readonly snapshot: Snapshot
  readonly memory: Weighted
  readonly gpu: Weighted
}

/** A sum of levels times how long they held. */
interface Weighted {
  readonly sum: number
  readonly seconds: number
}

const nothing: Weighted = { sum: 0, seconds: 0 }

const held = ({ sum, seconds }: Weighted, level: number | undefined, time: number): Weighted =>
  level === undefined ? { sum, seconds } : { sum: sum + level * time, seconds: seconds + time }

/** Follows the load from snapshot to snapshot, so that means are exact for any two marks. */
export class LoadMeter {
  #last: LoadMark

  constructor(first: Snapshot) {
    this.#last = { snapshot: first, memory: nothing, gpu: nothing }
  }

  get mark(): LoadMark {
    return this.#last
  }

  advance(snapshot: Snapshot): void {
    const { memory, gpu, snapshot: before } = this.#last
    const time = snapshot.at.monotonic - before.at.monotonic
    const { memoryUsedBytes, gpuUtilisation } = snapshot.load
    this.#last = {
      snapshot,
      memory: held(memory, memoryUsedBytes, time),
      gpu: held(gpu, gpuUtilisation, time),
    }
  }
}

/** Means between two marks; of the last look alone, where no time has passed. */
export function meansBetween(from: LoadMark, to: LoadMark): LoadMeans {
  const before = from.snapshot.load
  const after = to.snapshot.load
  const busy = difference(after.cpuBusy, before.cpuBusy)
  const capacity = difference(after.cpuCapacity, before.cpuCapacity)
  const used = meanOf(from.memory, to.memory) ?? after.memoryUsedBytes
  const total = after.memoryTotalBytes
  return {
    cpuUtilisation:
      busy !== undefined && capacity !== undefined && capacity > 0
        ? Math.min(1, Math.max(0, busy / capacity))
        : undefined,
    memoryUtilisation: used !== undefined && total !== undefined && total > 0 ? used / total : undefined,
    gpuUtilisation: meanOf(from.gpu, to.gpu) ?? after.gpuUtilisation,
    memoryUsedGibibytes: used === undefined ? undefined : toGibibytes(used),
  }
}

function meanOf(from: Weighted, to: Weighted): number | undefined {
  const time = to.seconds - from.seconds
  return time > 0 ? (to.sum - from.sum) / time : undefined
}

const difference = (after: number | undefined, before: number | undefined): number | undefined =>
  after === undefined || before === undefined ? undefined : after - before
