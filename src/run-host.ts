import { HostShare, type HostCounters, type HostReporter, type HostSeries } from './core/host-share.ts'
import type { RunView } from './core/exporter.ts'
import type { Problem } from './core/problem.ts'

/** What a run is asked for, and told, by whoever chooses the reporter of the machine. */
export interface HostHooks {
  readonly series: readonly HostSeries[]
  readonly onChange: () => void
  readonly onProblem: (problem: Problem) => void
}

/** What the part of a run in the series of the machine is put together from. */
export interface RunHostParts {
  readonly series: readonly HostSeries[]
  /** Asks who tells them. @default nobody is asked */
  readonly join?: ((hooks: HostHooks) => HostReporter) | undefined
  /** Of the last reading. */
  readonly counters: () => HostCounters
  /** Called where the run begins or ceases to tell them, before what it tells is counted from there on. */
  readonly onChange: () => void
  readonly onProblem: (problem: Problem) => void
}

/** Which series of the whole machine a run tells, of all the runs on it. */
export class RunHost {
  readonly #parts: RunHostParts
  readonly #share: HostShare
  #reporter: HostReporter | undefined
  #isClosed = false

  constructor(parts: RunHostParts) {
    const { series, join, onChange, onProblem } = parts
    this.#parts = parts
    this.#share = new HostShare(series)
    this.#reporter = join?.({
      series,
      onChange: () => {
        if (this.#reporter === undefined || this.#isClosed) return
        onChange()
        this.#settle(this.#reporter)
      },
      onProblem,
    })
    if (this.#reporter !== undefined) this.#settle(this.#reporter)
  }

  view(): RunView['host'] {
    return this.#share.view(this.#parts.counters())
  }

  /** Leaves them to other runs. @returns whether there was anything to leave */
  leave(): boolean {
    if (this.#reporter === undefined || this.#isClosed) return false
    this.#reporter.close()
    this.#reporter = { reports: () => false, close: () => undefined }
    this.#settle(this.#reporter)
    return true
  }

  close(): void {
    this.#isClosed = true
    this.#reporter?.close()
  }

  #settle(reporter: HostReporter): void {
    this.#share.settle(reporter, this.#parts.counters())
  }
}
