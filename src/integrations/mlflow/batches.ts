/** A point of a metric, as MLflow takes it. */
export interface Metric {
  readonly key: string
  readonly value: number
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly step: number
}

/** A parameter or a tag. */
export interface Entry {
  readonly key: string
  readonly value: string
}

/** What one `runs/log-batch` holds. */
export interface Batch {
  readonly metrics: readonly Metric[]
  readonly params: readonly Entry[]
  readonly tags: readonly Entry[]
}

/** Limits of `runs/log-batch` (MLflow, REST API, Log Batch): points of metrics, parameters, tags, and bytes. Metrics go by themselves, which keeps all below 1000 together. */
const mostMetrics = 1000
const mostEntries = 100
const mostBytes = 900_000
/** Of keys; of values as older servers take them (newer ones: 6000 and 8000). */
const longestKey = 250
const longestParameter = 500
const longestTag = 5000

/**
 * Splits what is to be sent into requests that the server takes. A batch is carried out as a whole or not at all, so metrics, parameters and tags go by themselves: one parameter that is
 * refused takes no figure with it.
 */
export function toBatches({ metrics, params, tags }: Batch): Batch[] {
  const none = { metrics: [], params: [], tags: [] }
  return [
    ...split(metrics, mostMetrics, ({ key }) => weightOf(key) + 100).map((part) => ({
      ...none,
      metrics: part,
    })),
    ...split(params, mostEntries, weightOfEntry).map((part) => ({ ...none, params: part })),
    ...split(tags, mostEntries, weightOfEntry).map((part) => ({ ...none, tags: part })),
  ]
}

function split<T>(items: readonly T[], most: number, bytesOf: (item: T) => number): T[][] {
  const parts: T[][] = []
  let part: T[] = []
  let bytes = 0
  for (const item of items) {
    const size = bytesOf(item)
    if (part.length > 0 && (part.length === most || bytes + size > mostBytes)) {
      parts.push(part)
      part = []
      bytes = 0
    }
    part.push(item)
    bytes += size
  }
  return part.length === 0 ? parts : [...parts, part]
}

/** The server counts what it makes of the request, where a character may become the six of an escape. */
const weightOf = (text: string): number => text.length * 6
const weightOfEntry = ({ key, value }: Entry): number => weightOf(key) + weightOf(value) + 40

/** A name of one part that every server takes: letters and digits of any script (`\w` of Python), `_`, `-`, `.` and spaces, and no path. */
export function toKeyPart(text: string): string {
  const part = text
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}_\-. ]+/gu, '_')
    .trim()
  return /^\.*$/.test(part) ? '_' : part
}

/** The whole name from its parts, which stand under each other. */
export const toKey = (...parts: readonly string[]): string =>
  parts
    .map(toKeyPart)
    .join('/')
    .slice(0, longestKey)
    .replace(/[\uD800-\uDBFF]$/, '')
    .replace(/[/ ]+$/, '')

/** A parameter as it is sent. */
export const toParameter = (key: string, value: string | number): Entry => ({
  key: toKey(key),
  value: cut(String(value), longestParameter),
})

/** A tag as it is sent. */
export const toTag = (key: string, value: string | number): Entry => ({
  key,
  value: cut(String(value), longestTag),
})

const cut = (text: string, longest: number): string =>
  text.length <= longest ? text : `${text.slice(0, longest - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
