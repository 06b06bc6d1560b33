import type { TaskEmissionsData } from './core/emissions-data.ts'
import type { LoadMark } from './core/load-meter.ts'
import type { Exporter, ExporterHealth, Report, RunView } from './core/exporter.ts'
import type { ScopeRecord } from './core/scope-record.ts'
import type { Seconds } from './core/units.ts'
import type { Usage } from './core/usage.ts'

/** Up to where an exporter has been told. */
export interface Told {
  readonly mark: LoadMark
  readonly usage: Usage
  /** Functional units that were counted up to then. */
  readonly units: number | undefined
}

/** How long an exporter may take at a flush and at the end before the run goes on without it. */
const usualDeadlineMs = 5000
const mostWaiting = 20

/** One exporter with its own queue, so that one that fails or hangs delays no other. Nothing here throws. */
export class ExporterLane {
  /** Its last report went up to here; the next one's delta begins here. */
  told: Told
  readonly #exporter: Exporter
  readonly #onError: (message: string) => void
  /** Reports that the exporter has not finished with. */
  readonly #pending = new Set<Report>()
  #tail: Promise<void> = Promise.resolve()
  #lastSuccessMs: number | undefined
  #error: string | undefined
  #failures = 0

  constructor(exporter: Exporter, told: Told, onError: (message: string, exporter: Exporter) => void) {
    this.#exporter = exporter
    this.told = told
    this.#onError = (message) => {
      this.#failures += 1
      this.#error = message
      onError(message, exporter)
    }
  }

  get health(): ExporterHealth {
    const { name } = this.#exporter
    return { name, lastSuccessMs: this.#lastSuccessMs, error: this.#error, failures: this.#failures }
  }

  /** Whether its figures meet those of other runs. */
  get isShared(): boolean {
    return this.#exporter.isShared === true
  }

  /** Lets it look at the run whenever it is asked. @returns whether it could be opened */
  async open(look: () => RunView): Promise<boolean> {
    return this.#attempt(() => this.#exporter.open?.(look, this.#onError))
  }

  /** Tells it of a task that has ended. */
  tellTask(task: TaskEmissionsData): void {
    if (this.#exporter.onTask !== undefined) this.#now(() => this.#exporter.onTask?.(task))
  }

  /** Tells it of scopes whose use is known. */
  tellScopes(ended: readonly ScopeRecord[]): void {
    if (this.#exporter.onScopes !== undefined) this.#now(() => this.#exporter.onScopes?.(ended))
  }

  /** Tells it how long a measurement took. */
  tellTick(took: Seconds): void {
    if (this.#exporter.onTick !== undefined) this.#now(() => this.#exporter.onTick?.(took))
  }

  /** Where a person finds what it was told. */
  get place(): string | undefined {
    return this.#exporter.place?.()
  }

  get isRemote(): boolean {
    return this.#exporter.isRemote === true
  }

  /** What it has not sent when the process ends is lost to it. */
  get losesUnsent(): boolean {
    return this.isRemote && this.#exporter.keepsUnsent !== true
  }

  get isBusy(): boolean {
    return this.#pending.size > 0
  }

  /** So much waits that more would only use up memory: its exporter hangs. */
  get isClogged(): boolean {
    return this.#pending.size >= mostWaiting
  }

  /** Tells that tasks are lost to this exporter. */
  lose(tasks: number): void {
    this.#onError(`it hangs; ${tasks} tasks are not handed to it`)
  }

  /** Hands a report over behind those on their way, and waits for it up to the deadline. */
  async send(report: Report): Promise<void> {
    await this.#withinDeadline(this.#enqueue(report), report.reason === 'live')
  }

  /** The same, and closes the exporter afterwards; both within the deadline. */
  async finish(report: Report, deadlineMs?: number): Promise<void> {
    const done = this.#enqueue(report).then(async () => {
      await this.#attempt(() => this.#exporter.close?.())
    })
    await this.#withinDeadline(done, false, deadlineMs)
  }

  /** Hands over a report and whatever is on its way, without waiting. */
  sendSync(report: Report | undefined): void {
    for (const waiting of this.#pending) this.#now(() => this.#exporter.exportSync?.(waiting))
    if (report === undefined) return
    if (this.#exporter.exportSync !== undefined) this.#now(() => this.#exporter.exportSync?.(report))
    else if (this.isBusy) void this.#enqueue(report)
    else this.#now(() => this.#exporter.export(report))
  }

  /** Closes the exporter when it is done with what is on its way. */
  closeLater(): void {
    if (!this.isBusy) this.#now(() => this.#exporter.close?.())
    else void this.#tail.then(() => this.#attempt(() => this.#exporter.close?.()))
  }

  #enqueue(report: Report): Promise<void> {
    this.#pending.add(report)
    this.#tail = this.#tail.then(async () => {
      await this.#attempt(async () => {
        await this.#exporter.export(report)
        this.#lastSuccessMs = report.snapshot.at.wallMs
        this.#error = undefined
      })
      this.#pending.delete(report)
    })
    return this.#tail
  }

  /** Does something that may return a promise nobody waits for. */
  #now(action: () => void | Promise<void>): void {
    void this.#attempt(action)
  }

  /** @returns whether it went well */
  async #attempt(action: () => void | Promise<void>): Promise<boolean> {
    try {
      await action()
      return true
    } catch (error) {
      this.#onError(error instanceof Error ? error.message : String(error))
      return false
    }
  }

  async #withinDeadline(
    work: Promise<unknown>,
    isBackground = false,
    deadlineMs = usualDeadlineMs,
  ): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#onError(`it took longer than ${deadlineMs / 1000} s`)
        resolve()
      }, deadlineMs)
      // Nobody waits for a live report, and the program must not be kept alive by one.
      if (isBackground) timer.unref()
    })
    await Promise.race([work, deadline])
    clearTimeout(timer)
  }
}
