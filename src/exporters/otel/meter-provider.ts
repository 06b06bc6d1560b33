/** What of a MeterProvider of OpenTelemetry is used; that of `@opentelemetry/api` is one. */
export interface MeterProvider {
  getMeter(name: string, version?: string): Meter
  /** Those of an SDK have it: sends what there is. */
  forceFlush?(): Promise<void>
}

/** What of a Meter is used. */
export interface Meter {
  createHistogram(name: string, options: InstrumentOptions): Histogram
  createObservableCounter(name: string, options: InstrumentOptions): object
  createObservableGauge(name: string, options: InstrumentOptions): object
  addBatchObservableCallback(callback: ObserveAll, observables: never[]): void
  removeBatchObservableCallback(callback: ObserveAll, observables: never[]): void
}

/** Says what is true of many instruments at one moment. */
export type ObserveAll = (result: {
  observe(instrument: never, value: number, attributes?: Attributes): void
}) => void

/** An instrument that is told of each value. */
export interface Histogram {
  record(value: number, attributes?: Attributes): void
}

/** What is said of an instrument. */
export interface InstrumentOptions {
  readonly unit: string
  readonly description: string
  readonly advice?: { explicitBucketBoundaries: number[] }
}

/** What distinguishes the series of an instrument. */
export type Attributes = Record<string, string>
