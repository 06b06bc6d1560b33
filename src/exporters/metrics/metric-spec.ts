/** What the table says about one metric. */
export interface MetricSpec {
  /** Name in OpenTelemetry. */
  readonly name: string
  readonly instrument: 'counter' | 'gauge' | 'histogram'
  /** UCUM. `{…}` counts things. */
  readonly unit: string
  /** One sentence without its full stop. */
  readonly help: string
  /** Attributes that its series may have. */
  readonly attributes: readonly string[]
  /** Upper bounds of the buckets of a histogram. */
  readonly buckets?: readonly number[]
}
