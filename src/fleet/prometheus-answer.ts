/** A series with its values. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  /** Times in milliseconds since 1970, rising. Values that are no number are left out. */
  readonly points: readonly (readonly [ms: number, value: number])[]
}

/** What a Prometheus answered. */
export type PrometheusAnswer =
  | { readonly series: readonly Series[]; readonly warnings: readonly string[] }
  | { readonly errorType: string; readonly error: string }

/**
 * Takes the text of an answer of the HTTP API of Prometheus (`/api/v1/query`, `/api/v1/query_range`) apart.
 * @returns `undefined` where it is none
 */
export function parseAnswer(text: string): PrometheusAnswer | undefined {
  const root = fieldsOf(parseJson(text))
  if (root?.['status'] === 'error') {
    const { errorType, error } = root
    return {
      errorType: typeof errorType === 'string' ? errorType : '',
      error: typeof error === 'string' ? error : 'no reason given',
    }
  }
  const data = fieldsOf(root?.['data'])
  const result = data?.['result']
  if (root?.['status'] !== 'success' || !Array.isArray(result)) return undefined
  const series = result.map(toSeries)
  if (series.includes(undefined)) return undefined
  // Its `infos` are advice on how to write a query; `warnings` say that something is missing.
  const { warnings } = root
  return {
    series: series as Series[],
    warnings: Array.isArray(warnings) ? warnings.filter((warning) => typeof warning === 'string') : [],
  }
}

function toSeries(item: unknown): Series | undefined {
  const fields = fieldsOf(item)
  const metric = fieldsOf(fields?.['metric'])
  const { value, values } = fields ?? {}
  const pairs = Array.isArray(values) ? values : [value]
  if (metric === undefined || Object.values(metric).some((label) => typeof label !== 'string'))
    return undefined
  const points = pairs.map(toPoint)
  if (points.includes(undefined)) return undefined
  return {
    labels: metric as Record<string, string>,
    points: (points as (readonly [number, number])[]).filter(([, number]) => Number.isFinite(number)),
  }
}

function toPoint(pair: unknown): readonly [number, number] | undefined {
  if (!Array.isArray(pair)) return undefined
  const [time, text] = pair as unknown[]
  if (typeof time !== 'number' || typeof text !== 'string') return undefined
  return [Math.round(time * 1000), Number(text)]
}

const fieldsOf = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
