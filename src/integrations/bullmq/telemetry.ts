/** BullMQ's interface `Telemetry`, as far as it is needed here. https://docs.bullmq.io/guide/telemetry */
export interface Telemetry {
  tracer: Tracer
  contextManager: ContextManager
  meter?: Meter
}

/** Begins spans. */
export interface Tracer {
  startSpan(name: string, options?: { kind: number }, context?: unknown): Span
}

/** One operation of a queue or a worker. */
export interface Span {
  setSpanOnContext(context: unknown): unknown
  setAttribute(key: string, value: AttributeValue): void
  setAttributes(attributes: Attributes): void
  addEvent(name: string, attributes?: Attributes): void
  recordException(exception: Exception, time?: Time): void
  end(): void
}

/** Values of attributes by their names. */
export interface Attributes {
  [attribute: string]: AttributeValue | undefined
}

/** What an attribute may be. */
export type AttributeValue =
  | string
  | number
  | boolean
  | (null | undefined | string)[]
  | (null | undefined | number)[]
  | (null | undefined | boolean)[]

/** An error as spans are told of it. */
export type Exception =
  | string
  | { code: string | number; name?: string; message?: string; stack?: string }
  | { code?: string | number; name?: string; message: string; stack?: string }
  | { code?: string | number; name: string; message?: string; stack?: string }

/** A moment as spans are told of it. */
export type Time = [number, number] | number | Date

/** Which operation runs now, and how that is told to others. */
export interface ContextManager {
  with<Fn extends (...args: never[]) => unknown>(context: unknown, fn: Fn): ReturnType<Fn>
  active(): unknown
  root?(): unknown
  getMetadata(context: unknown): string
  fromMetadata(active: unknown, metadata: string): unknown
}

/** Makes instruments of metrics. */
export interface Meter {
  createCounter(name: string, options?: MetricOptions): Counter
  createHistogram(name: string, options?: MetricOptions): Recorder
  createGauge(name: string, options?: MetricOptions): Recorder
}

/** Of an instrument. */
export interface MetricOptions {
  description?: string
  unit?: string
}

/** A metric that only grows. */
export interface Counter {
  add(value: number, attributes?: Attributes): void
}

/** A metric that values are told to. */
export interface Recorder {
  record(value: number, attributes?: Attributes): void
}

/** BullMQ's `SpanKind.CONSUMER`: of all its spans only the processing of a job is of this kind. */
export const consumerKind = 4
