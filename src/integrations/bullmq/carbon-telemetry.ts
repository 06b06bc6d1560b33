import { ConfigError } from '../../core/errors.ts'
import { checkNames } from '../../scopes/check-options.ts'
import { scopeStorage } from '../../scopes/current-scope.ts'
import type { ScopeSource } from '../../scopes/process-scopes.ts'
import type { CurrentScope, ScopeRecord } from '../../scopes/work-scope.ts'
import { JobScopes } from '../hook-parts/job-scopes.ts'
import { boundJobName, labelsOf } from './job-names.ts'
import { TelemetryJob, type TelemetryJobFacts } from './telemetry-job.ts'
import {
  consumerKind,
  type Attributes,
  type AttributeValue,
  type Exception,
  type Span,
  type Telemetry,
  type Time,
} from './telemetry.ts'

/** Options of {@link carbonTelemetry}. */
export interface CarbonTelemetryOptions {
  /** Telemetry that is there already, such as that of bullmq-otel: it is told all that it was told before. */
  readonly existing?: Telemetry | undefined
  /** A tracker. @default that of the process, which is begun where there is none */
  readonly tracker?: ScopeSource | undefined
  /** Is given what each attempt at a job has used, some moments after its end. */
  readonly onRecord?: ((record: ScopeRecord, job: TelemetryJobFacts) => unknown) | undefined
}

/**
 * Telemetry for the workers of BullMQ that makes each attempt at a job a scope of kind `job` with the name of the job, its queue as a label, and the outcome
 * `completed`, `failed`, `moved` (delayed, limited, or waiting for children) or `error` (its end could not be recorded). It holds the processor and what
 * BullMQ does to record the end.
 *
 * @throws ConfigError for a wrong option
 * @example
 * new Worker('thumbnails', processor, { connection, telemetry: carbonTelemetry({ existing: new BullMQOtel() }) })
 */
export function carbonTelemetry(options: CarbonTelemetryOptions = {}): Telemetry {
  check(options)
  const { existing, tracker, onRecord } = options
  const scopes = new JobScopes('codecarbon/bullmq', tracker)
  const tracerOfExisting = existing?.tracer
  const contexts = existing?.contextManager

  const beginJob = (spanName: string): TelemetryJob | undefined => {
    const queueName = spanName.slice(processing.length)
    const scope = scopes.begin({ name: boundJobName(queueName), labels: labelsOf(queueName) })
    if (scope === undefined) return undefined
    const job = new TelemetryJob(scope, queueName, scopes)
    if (onRecord !== undefined) job.onRecord((record) => onRecord(record, factsOf(job)))
    return job
  }

  return {
    tracer: {
      startSpan(name, spanOptions, context) {
        const inner = tracerOfExisting?.startSpan(name, spanOptions, innerOf(context))
        const isJob = spanOptions?.kind === consumerKind && name.startsWith(processing)
        const job = isJob ? beginJob(name) : undefined
        return inner === undefined && job === undefined ? silentSpan : new CarbonSpan(inner, job)
      },
    },
    contextManager: {
      with(context, fn) {
        const { inner, job, isRoot } = context instanceof CarbonContext ? context : new CarbonContext(context)
        const run = (): ReturnType<typeof fn> =>
          contexts === undefined
            ? ((fn as () => unknown)() as ReturnType<typeof fn>)
            : contexts.with(inner, fn)
        if (job !== undefined) return job.scope.run(run)
        return isRoot ? outsideOfScopes(run) : run()
      },
      active: () => (contexts === undefined ? emptyContext : new CarbonContext(contexts.active())),
      root: () =>
        contexts === undefined
          ? rootContext
          : new CarbonContext(contexts.root === undefined ? contexts.active() : contexts.root(), {
              isRoot: true,
            }),
      getMetadata: (context) => contexts?.getMetadata(innerOf(context)) ?? '',
      fromMetadata: (active, metadata) =>
        contexts === undefined
          ? emptyContext
          : new CarbonContext(contexts.fromMetadata(innerOf(active), metadata)),
    },
    ...(existing?.meter === undefined ? {} : { meter: existing.meter }),
  }
}

/** How BullMQ's name of a span begins that is a job; the queue follows. */
const processing = 'process '

/** What is handed to BullMQ in place of a context: that of the telemetry behind, and the job whose span was put on it. */
class CarbonContext {
  readonly inner: unknown
  readonly job: TelemetryJob | undefined
  readonly isRoot: boolean

  constructor(inner: unknown, { job, isRoot = false }: { job?: TelemetryJob; isRoot?: boolean } = {}) {
    this.inner = inner
    this.job = job
    this.isRoot = isRoot
  }
}

const emptyContext = new CarbonContext(undefined)
const rootContext = new CarbonContext(undefined, { isRoot: true })

const innerOf = (context: unknown): unknown => (context instanceof CarbonContext ? context.inner : context)

/** Loops that live as long as the worker must not be part of whatever was active when they began. */
const outsideOfScopes = <T>(fn: () => T): T => scopeStorage.run(undefined as unknown as CurrentScope, fn)

class CarbonSpan implements Span {
  readonly #inner: Span | undefined
  readonly #job: TelemetryJob | undefined

  constructor(inner: Span | undefined, job: TelemetryJob | undefined) {
    this.#inner = inner
    this.#job = job
  }

  setSpanOnContext(context: unknown): unknown {
    const inner = innerOf(context)
    const withSpan = this.#inner === undefined ? inner : this.#inner.setSpanOnContext(inner)
    return new CarbonContext(withSpan, this.#job === undefined ? {} : { job: this.#job })
  }

  setAttribute(key: string, value: AttributeValue): void {
    this.#inner?.setAttribute(key, value)
    this.#learn({ [key]: value })
  }

  setAttributes(attributes: Attributes): void {
    this.#inner?.setAttributes(attributes)
    this.#learn(attributes)
  }

  addEvent(name: string, attributes?: Attributes): void {
    this.#inner?.addEvent(name, attributes)
    if (this.#job === undefined) return
    if (name === 'job completed') this.#job.recorded = 'completed'
    if (name === 'job failed') this.#job.recorded = 'failed'
  }

  recordException(exception: Exception, time?: Time): void {
    this.#inner?.recordException(exception, time)
    if (this.#job !== undefined) this.#job.hasErrors = true
  }

  end(): void {
    this.#inner?.end()
    this.#job?.end()
  }

  #learn(attributes: Attributes): void {
    const job = this.#job
    if (job === undefined) return
    const name = attributes['bullmq.job.name']
    const id = attributes['bullmq.job.id']
    const attempts = attributes['bullmq.job.attempts.made']
    if (typeof name === 'string') {
      job.name = name
      job.scope.rename(boundJobName(name))
    }
    if (typeof id === 'string') job.id = id
    if (typeof attempts === 'number') job.attemptsMade = attempts
  }
}

const nothing = (): void => undefined

/** Of what is no job, where no other telemetry wants to know of it. */
const silentSpan: Span = {
  setSpanOnContext: (context) => context,
  setAttribute: nothing,
  setAttributes: nothing,
  addEvent: nothing,
  recordException: nothing,
  end: nothing,
}

const factsOf = ({ id, name, queueName, attemptsMade }: TelemetryJob): TelemetryJobFacts => ({
  id,
  name,
  queueName,
  attemptsMade,
})

function check(given: CarbonTelemetryOptions): void {
  const options: unknown = given
  if (typeof options !== 'object' || options === null)
    throw new ConfigError(
      `carbonTelemetry: expected options, got ${options === null ? 'null' : typeof options}`,
    )
  checkNames('carbonTelemetry', given, { existing: true, tracker: true, onRecord: true })
  const { existing, tracker, onRecord } = given
  if (
    existing !== undefined &&
    (typeof existing?.tracer?.startSpan !== 'function' || typeof existing.contextManager?.with !== 'function')
  )
    throw new ConfigError(
      'option existing: expected telemetry of BullMQ, with tracer and contextManager, such as that of bullmq-otel',
    )
  if (tracker !== undefined && typeof tracker?.beginScope !== 'function')
    throw new ConfigError('option tracker: expected an EmissionsTracker')
  if (onRecord !== undefined && typeof onRecord !== 'function')
    throw new ConfigError(`option onRecord: expected a function, got ${typeof onRecord}`)
}
