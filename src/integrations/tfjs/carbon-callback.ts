import { currentScope } from '../../scopes/current-scope.ts'
import { createHookScopes } from '../../scopes/hook-scopes.ts'
import { fitScopes } from './fit-scopes.ts'
import { completeOptions, type TfjsOptions } from './tfjs-options.ts'
import { createTraining, type Training } from './training.ts'

/** A callback as `model.fit` and `model.fitDataset` take it, alone or in a list. */
export interface CarbonCallback {
  onTrainBegin(): void
  onTrainEnd(): void
  onEpochBegin(): void
  onEpochEnd(): void
  onBatchBegin(): void
  onBatchEnd(): void
  setParams(): void
  setModel(): void
}

/** One for all copies of this package in a process; with a number that changes when what is there does. */
const key = Symbol.for('codecarbon.tfjs-callbacks.1')
const holder = globalThis as { [key]?: WeakSet<object> }

/** Every callback that was made. */
const callbacks = (holder[key] ??= new WeakSet())

export const isCarbonCallback = (callback: unknown): boolean =>
  typeof callback === 'object' && callback !== null && callbacks.has(callback)

/**
 * A callback that makes each training a scope of its own, and each of its epochs a part of it. One may be used for several trainings, one after the other or at once.
 *
 * A training that throws tells its callbacks nothing: its scope ends as `error` when TensorFlow.js lets go of it, or with the process. `carbonTfjs` ends it at once.
 *
 * TensorFlow.js decides by the first of a list whether it holds callbacks or plain objects, so this one goes behind those of `tf.callbacks`.
 *
 * @throws ConfigError for a wrong option
 * @example
 * await model.fit(x, y, { epochs: 10, callbacks: [carbonCallback()] })
 */
export function carbonCallback(options: TfjsOptions = {}): CarbonCallback {
  const door = 'codecarbon/tfjs: carbonCallback'
  const complete = completeOptions(door, options)
  const scopes = createHookScopes('TensorFlow.js', complete.tracker, door)
  const trainings = new WeakMap<object, Training>()

  const beginTraining = (): Training => {
    const around = currentScope()
    const fit = around === undefined ? undefined : fitScopes.get(around)
    if (fit === undefined || (complete.tracker !== undefined && complete.tracker !== fit.tracker))
      return createTraining(scopes, scopes.begin({ name: complete.name, kind: 'training' }), complete)
    if (options.name !== undefined) fit.scope.rename(complete.name)
    fit.training = createTraining(scopes, fit.scope, complete)
    return fit.training
  }
  // TensorFlow.js calls the functions as those of an object that it makes for each training, or of this one itself.
  const callback: CarbonCallback & ThisType<object> = {
    onTrainBegin() {
      trainings.get(this)?.end('error')
      const training = beginTraining()
      trainings.set(this, training)
      if (this !== callback) abandoned.register(this, training)
    },
    onTrainEnd() {
      trainings.get(this)?.end()
      trainings.delete(this)
    },
    onEpochBegin() {
      trainings.get(this)?.beginEpoch()
    },
    onEpochEnd() {
      trainings.get(this)?.endEpoch()
    },
    onBatchBegin() {},
    onBatchEnd() {
      trainings.get(this)?.endBatch()
    },
    setParams() {},
    setModel() {},
  }
  callbacks.add(callback)
  return callback
}

/** Ends what has thrown, which nobody tells. */
const abandoned = new FinalizationRegistry<Training>((training) => {
  training.end('error')
})
