import { toBatches, toParameter, toTag, type Batch, type Entry, type Metric } from './batches.ts'

/** A file that waits. */
export interface WaitingFile {
  readonly bytes: Uint8Array
  readonly contentType: string
}

/** What was logged and has not been sent. */
export interface Waiting {
  logMetric(key: string, value: number, step: number, timestampMs: number): void
  /** MLflow's parameters cannot change: one that does is a tag of the same name from then on. */
  logParameter(key: string, value: string | number): void
  setTag(key: string, value: string | number): void
  /** In place of the last of that name. */
  logArtifact(name: string, bytes: Uint8Array, contentType: string): void
  /** The server has these parameters. */
  settle(parameters: Iterable<readonly [string, string]>): void
  /** In requests that the server takes. */
  batches(): Batch[]
  files(): readonly (readonly [string, WaitingFile])[]
  /** These need no longer wait. */
  remove(batch: Batch): void
  removeFile(name: string, file: WaitingFile): void
}

/** Points that wait for a server that is away; then the oldest half is dropped. */
const mostPoints = 20_000

export function createWaiting(): Waiting {
  let metrics: Metric[] = []
  const parameters = new Map<string, Entry>()
  const tags = new Map<string, Entry>()
  const files = new Map<string, WaitingFile>()
  const settled = new Map<string, string>()

  function turnChangedIntoTags(): void {
    for (const [key, entry] of parameters) {
      const before = settled.get(key)
      if (before === undefined) continue
      parameters.delete(key)
      if (before !== entry.value) tags.set(key, entry)
    }
  }

  return {
    logMetric(key, value, step, timestampMs) {
      if (!Number.isFinite(value)) return
      metrics.push({ key, value, step, timestamp: Math.round(timestampMs) })
      if (metrics.length > mostPoints) metrics = metrics.slice(-mostPoints / 2)
    },
    logParameter(key, value) {
      const entry = toParameter(key, value)
      parameters.set(entry.key, entry)
    },
    setTag(key, value) {
      tags.set(key, toTag(key, value))
    },
    logArtifact(name, bytes, contentType) {
      files.set(name, { bytes, contentType })
    },
    settle(given) {
      for (const [key, value] of given) settled.set(key, value)
    },
    batches() {
      turnChangedIntoTags()
      return toBatches({ metrics, params: [...parameters.values()], tags: [...tags.values()] })
    },
    files: () => [...files],
    remove(batch) {
      const sent = new Set(batch.metrics)
      if (sent.size > 0) metrics = metrics.filter((metric) => !sent.has(metric))
      for (const entry of batch.params) if (parameters.get(entry.key) === entry) parameters.delete(entry.key)
      for (const entry of batch.tags) if (tags.get(entry.key) === entry) tags.delete(entry.key)
    },
    removeFile(name, file) {
      if (files.get(name) === file) files.delete(name)
    },
  }
}
