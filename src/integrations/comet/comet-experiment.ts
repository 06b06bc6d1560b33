import type { CometPoint, SystemDetails } from './message.ts'

/** Where a point of a metric belongs. */
export interface MetricOptions extends CometPoint {
  /** Milliseconds since 1970. @default now */
  readonly timestampMs?: number | undefined
}

/** What an asset is. */
export interface AssetOptions extends CometPoint {
  /** @default the name of the file */
  readonly fileName?: string | undefined
  /** Takes the place of one with the same name. @default false */
  readonly overwrite?: boolean | undefined
  /** Comet's kind of asset. @default asset */
  readonly type?: string | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
}

/**
 * An experiment of Comet that is being logged.
 *
 * Nothing here throws or waits, but for `flush` and `end`. What is logged goes out in the background, within Comet's limits; where the server is away
 * it is tried again, and what cannot be sent in the end is written to an archive that `codecarbon comet upload` sends later.
 */
export interface CometExperiment {
  /** Of the server; of the archive where there is none. */
  readonly key: string | undefined
  /** Its page at Comet; `undefined` where the server does not have it. */
  readonly url: string | undefined
  /** `opening`: nobody has answered yet. `disabled`: what is logged is dropped. */
  readonly state: 'opening' | 'online' | 'offline' | 'disabled' | 'ended'
  /** What is not finite is no figure, and left out. */
  logMetric(name: string, value: number, options?: MetricOptions): void
  logMetrics(values: Readonly<Record<string, number>>, options?: MetricOptions): void
  /** The latest value counts. */
  logParameter(name: string, value: unknown): void
  logParameters(values: Readonly<Record<string, unknown>>): void
  /** Anything else by name; the latest value counts. */
  logOther(name: string, value: unknown): void
  logOthers(values: Readonly<Record<string, unknown>>): void
  addTags(tags: readonly string[]): void
  /** A page of HTML, behind what is there or in its place. */
  logHtml(html: string, options?: { readonly override?: boolean }): void
  /** What the program printed, on stdout unless said otherwise. */
  logOutput(text: string, options?: { readonly isError?: boolean }): void
  logSystemDetails(details: SystemDetails): void
  /** A file by its path, or bytes. */
  logAsset(content: string | Uint8Array, options?: AssetOptions): void
  setName(name: string): void
  /** Milliseconds since 1970. */
  setStartEndTime(times: { readonly startMs?: number; readonly endMs?: number }): void
  /** It ends by an error, of which the first counts. */
  fail(error?: unknown): void
  /** Calls `tell` once before the experiment ends, however it does, while it still takes what is logged. @returns takes that back */
  beforeEnd(tell: () => void): () => void
  /** Resolves with true when all that was logged has come, and with false when it will not in that time. */
  flush(options?: { readonly timeoutMs?: number }): Promise<boolean>
  /** Sends what is left and ends the experiment; after the deadline the rest is written to an archive. Never rejects. */
  end(options?: { readonly timeoutMs?: number }): Promise<void>
  /** Ends it without waiting for anything: what has not come is written to an archive. */
  endSync(): void
  [Symbol.asyncDispose](): Promise<void>
}

/** What ends before the experiment that it logs to. */
export interface Companion {
  stop(): Promise<unknown>
  stopSync(): unknown
}

/** An experiment that begins to open in the background. */
export interface OpeningExperiment extends CometExperiment {
  /** Resolves when there is an answer or none is waited for any more. Never rejects. */
  readonly opened: Promise<void>
  /** What went wrong last, where nothing has come since. */
  readonly problem: string | undefined
  /** Path of the archive, where it ended in one. */
  readonly archive: string | undefined
  tracker: Companion | undefined
}
