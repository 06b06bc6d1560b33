import type { LoadMeans } from './emissions-data.ts'
import type { Snapshot } from './snapshot.ts'
import { toGibibytes } from './units.ts'

/** Memory use over time, weighted by time, up to one snapshot. */
export interface LoadMark {
  readonly snapshot: Snapshot
  readonly byteSeconds: number
  readonly seconds: number
}

/** Follows the load from snapshot to snapshot, so that means are exact for any two marks. */
export class LoadMeter {
  #last: LoadMark

  constructor(first: Snapshot) {
    this.#last = { snapshot: first, byteSeconds: 0, seconds: 0 }
  }

  get mark(): LoadMark {
    return this.#last
  }

  advance(snapshot: Snapshot): void {
    const { memoryUsedBytes } = snapshot.load
    const time = snapshot.at.monotonic - this.#last.snapshot.at.monotonic
    this.#last =
      memoryUsedBytes === undefined
        ? { ...this.#last, snapshot }
        : {
            snapshot,
            byteSeconds: this.#last.byteSeconds + memoryUsedBytes * time,
            seconds: this.#last.seconds + time,
          }
  }
}

/** Means between two marks; of the last look alone, where no time has passed. */
export function meansBetween(from: LoadMark, to: LoadMark): LoadMeans {
  const before = from.snapshot.load
  const after = to.snapshot.load
  const busy = difference(after.cpuBusy, before.cpuBusy)
  const capacity = difference(after.cpuCapacity, before.cpuCapacity)
  const time = to.seconds - from.seconds
  const used = time > 0 ? (to.byteSeconds - from.byteSeconds) / time : after.memoryUsedBytes
  const total = after.memoryTotalBytes
  return {
    cpuUtilisation:
      busy !== undefined && capacity !== undefined && capacity > 0
        ? Math.min(1, Math.max(0, busy / capacity))
        : undefined,
    memoryUtilisation: used !== undefined && total !== undefined && total > 0 ? used / total : undefined,
    memoryUsedGibibytes: used === undefined ? undefined : toGibibytes(used),
  }
}

const difference = (after: number | undefined, before: number | undefined): number | undefined =>
  after === undefined || before === undefined ? undefined : after - before
