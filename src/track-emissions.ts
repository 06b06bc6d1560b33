import { isThenable } from './thenable.ts'
import { EmissionsTracker, type TrackerOptions } from './tracker.ts'

/** Any function. */
// oxlint-disable-next-line typescript/no-explicit-any -- the constraint that every function type meets
type AnyFunction = (this: any, ...args: any[]) => unknown

/** Wraps a function, or decorates a method. */
export interface Track {
  <F extends AnyFunction>(fn: F): F
  <F extends AnyFunction>(method: F, context: ClassMethodDecoratorContext): F
}

/**
 * Tracks each call of a function as a run of its own. What is returned has the same type: a synchronous function stays synchronous, a
 * promise is awaited, a generator is tracked from its first step to its last, and errors pass through after the run has ended.
 * Serves as a wrapper and as a standard decorator, with and without options.
 *
 * @throws ConfigError for a wrong option, at once and not at the first call
 * @example
 * const train = trackEmissions(async (epochs) => …, { projectName: 'train' })
 * class Job { @trackEmissions({ projectName: 'job' }) async run() {} }
 */
export function trackEmissions<F extends AnyFunction>(fn: F, options?: TrackerOptions): F
export function trackEmissions<F extends AnyFunction>(method: F, context: ClassMethodDecoratorContext): F
export function trackEmissions(options?: TrackerOptions): Track
export function trackEmissions(
  first?: AnyFunction | TrackerOptions,
  second?: TrackerOptions | ClassMethodDecoratorContext,
): AnyFunction | Track {
  if (typeof first === 'function') return wrap(first, isContext(second) ? {} : (second ?? {}))
  const options = first ?? {}
  // Tells a wrong option where it was written.
  void new EmissionsTracker(options)
  return (<F extends AnyFunction>(fn: F): F => wrap(fn, options)) as Track
}

const isContext = (second: object | undefined): second is ClassMethodDecoratorContext =>
  second !== undefined && 'kind' in second && 'addInitializer' in second

function wrap<F extends AnyFunction>(fn: F, options: TrackerOptions): F {
  // Tells a wrong option where it was written.
  void new EmissionsTracker(options)
  const tracked = wrapperFor(fn, options)
  Object.defineProperty(tracked, 'name', { value: fn.name, configurable: true })
  Object.defineProperty(tracked, 'length', { value: fn.length, configurable: true })
  return tracked as F
}

const generatorPrototype: unknown = Object.getPrototypeOf(function* () {})
const asyncGeneratorPrototype: unknown = Object.getPrototypeOf(async function* () {})

function wrapperFor(fn: AnyFunction, options: TrackerOptions): AnyFunction {
  const kind: unknown = Object.getPrototypeOf(fn)
  if (kind === generatorPrototype) {
    return function* (this: unknown, ...args: unknown[]) {
      const tracker = new EmissionsTracker(options).start()
      try {
        return yield* fn.apply(this, args) as Generator
      } finally {
        tracker.stopSync()
      }
    }
  }
  if (kind === asyncGeneratorPrototype) {
    return async function* (this: unknown, ...args: unknown[]) {
      const tracker = new EmissionsTracker(options).start()
      try {
        return yield* fn.apply(this, args) as AsyncGenerator
      } finally {
        await tracker.stop()
      }
    }
  }
  return function (this: unknown, ...args: unknown[]) {
    const tracker = new EmissionsTracker(options).start()
    let result: unknown
    try {
      result = fn.apply(this, args)
    } catch (error) {
      tracker.stopSync()
      throw error
    }
    if (!isThenable(result)) {
      tracker.stopSync()
      return result
    }
    return settle(result, tracker)
  }
}

/** Waits for the result, then for the end of the run. */
async function settle(result: PromiseLike<unknown>, tracker: EmissionsTracker): Promise<unknown> {
  try {
    return await result
  } finally {
    await tracker.stop()
  }
}
