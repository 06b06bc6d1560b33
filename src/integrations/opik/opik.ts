import { nearest } from '../../config/nearest.ts'
import type { EmissionsData, TaskEmissionsData } from '../../core/emissions-data.ts'
import { ConfigError } from '../../core/errors.ts'
import { carbonMetadata } from './carbon-metadata.ts'

export { carbonMetadata, type CarbonMetadata, type ComponentMetadata } from './carbon-metadata.ts'

/** A span or a trace of Opik, as far as it is needed here. */
export interface OpikTarget {
  readonly data: { readonly metadata?: unknown }
  update(updates: { metadata: Record<string, unknown> }): unknown
  score(score: { name: string; value: number; reason?: string }): void
}

/** A span, which may have one above it. */
export interface OpikSpan extends OpikTarget {
  readonly data: { readonly metadata?: unknown; readonly parentSpanId?: string | undefined }
}

/** What to log besides metadata. */
export interface CarbonLogOptions {
  /** Also give it a feedback score `emissions_g`, in grams of CO2 equivalents, to sort and chart by. @default false */
  readonly score?: boolean | undefined
}

/** Options of {@link withCarbon}. */
export interface CarbonOptions extends CarbonLogOptions {
  /** A tracker, whose task each call is. It is started where it does not run. */
  readonly tracker: {
    task<T>(name: string, fn: () => T, onEnd?: (record: TaskEmissionsData) => void): T
  }
  /** That of `opik`: which span is the current one. */
  readonly getTrackContext: () => { readonly span: OpikSpan; readonly trace: OpikTarget } | undefined
  /** Of the task. @default that of the function */
  readonly name?: string | undefined
}

/** Where it stands among the metadata. */
const key = 'carbon'
const scoreName = 'emissions_g'

/**
 * Puts energy and emissions under `carbon` among the metadata of a span or a trace, beside what is there. Without a span or without a record nothing is put anywhere.
 *
 * @example
 * const task = tracker.startTask('answer')
 * …
 * logCarbon(span, task.stop())
 */
export function logCarbon(
  target: OpikTarget | undefined,
  record: EmissionsData | undefined,
  { score = false }: CarbonLogOptions = {},
): void {
  if (target === undefined || record === undefined) return
  const { metadata } = target.data
  // Older versions of Opik put new metadata in the place of what was there.
  target.update({ metadata: { ...toObject(metadata), [key]: carbonMetadata(record) } })
  if (score && record.emissions !== undefined)
    target.score({ name: scoreName, value: record.emissions * 1000, reason: reasonOf(record) })
}

/**
 * Makes each call of a function a task, whose energy and emissions go to the span of Opik in which it runs, and to the trace where that is its
 * outermost span. Put it inside of `track()`. Outside of any span the function is a task of the tracker and nothing more.
 *
 * @throws ConfigError for a wrong option
 * @example
 * const answer = track({ name: 'answer' }, withCarbon({ tracker, getTrackContext }, async (question) => …))
 */
export function withCarbon<This, Args extends unknown[], Result>(
  options: CarbonOptions,
  fn: (this: This, ...args: Args) => Result,
): (this: This, ...args: Args) => Result {
  check(options, fn)
  const { tracker, getTrackContext, score } = options
  const name = options.name ?? (fn.name === '' ? 'anonymous' : fn.name)
  const tell = (record: TaskEmissionsData): void => {
    const context = getTrackContext()
    if (context === undefined) return
    const { span, trace } = context
    logCarbon(span, record, { score })
    if (span.data.parentSpanId === undefined) logCarbon(trace, record, { score })
  }
  return function carbon(...args) {
    return tracker.task(name, () => fn.apply(this, args), tell)
  }
}

function check(given: CarbonOptions, fn: unknown): void {
  const options: unknown = given
  if (typeof options !== 'object' || options === null)
    throw new ConfigError('withCarbon: expected options with tracker and getTrackContext')
  const unknown = Object.keys(options).find((name) => !optionNames.includes(name))
  if (unknown !== undefined) throw unknownOption(unknown)
  if (typeof given.tracker?.task !== 'function')
    throw new ConfigError('option tracker: expected an EmissionsTracker')
  if (typeof given.getTrackContext !== 'function')
    throw new ConfigError('option getTrackContext: expected the function of that name of opik')
  if (typeof fn !== 'function')
    throw new ConfigError(`withCarbon: expected a function behind the options, got ${typeof fn}`)
}

const optionNames = ['tracker', 'getTrackContext', 'name', 'score']

function unknownOption(name: string): ConfigError {
  const meant = nearest(name, optionNames)
  return new ConfigError(`option ${name}: not known${meant === undefined ? '' : `; did you mean ${meant}?`}`)
}

const toObject = (value: unknown): object =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}

function reasonOf({ measuredShare, intensity }: EmissionsData): string {
  const share = measuredShare === undefined ? '' : `, ${Math.round(measuredShare * 100)} % measured`
  return `CodeCarbon, ${intensity.gramsPerKwh} gCO2eq/kWh${share}`
}
