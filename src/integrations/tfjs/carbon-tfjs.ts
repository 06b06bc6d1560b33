import { ConfigError } from '../../core/errors.ts'
import { currentScope } from '../../scopes/current-scope.ts'
import type { WorkScope } from '../../scopes/work-scope.ts'
import { createHookScopes } from '../../scopes/hook-scopes.ts'
import { measureMethods, type Method } from '../hook-parts/measure-methods.ts'
import { isAsync } from '../../scopes/measured-function.ts'
import { runInScope } from '../hook-parts/run-in-scope.ts'
import { carbonCallback, isCarbonCallback } from './carbon-callback.ts'
import { fitScopes, type FitScope } from './fit-scopes.ts'
import { completeOptions, type TfjsOptions } from './tfjs-options.ts'

/** TensorFlow.js as far as it is needed here. */
export interface TensorFlow {
  readonly LayersModel: { readonly prototype: object }
}

type Model = Record<'fit' | 'fitDataset', Method>

/** Where the arguments of each method have their configuration. */
const placeOfConfig = { fit: 2, fitDataset: 1 } as const

/**
 * Measures every `fit` and `fitDataset` of every model, as `carbonCallback` does for one; what throws ends as `error` at once. Where a training has a
 * `carbonCallback` of its own, that one's options count for it. Called again, it measures by the new options.
 *
 * @param tf what `@tensorflow/tfjs` or `@tensorflow/tfjs-layers` export
 * @returns takes it back
 * @throws ConfigError where that is no TensorFlow.js, and for a wrong option
 * @example
 * import * as tf from '@tensorflow/tfjs'
 * carbonTfjs(tf)
 */
export function carbonTfjs(tf: TensorFlow, options: TfjsOptions = {}): () => void {
  const model = modelOf(tf)
  const door = 'codecarbon/tfjs: carbonTfjs'
  const { tracker, name } = completeOptions(door, options)
  const scopes = createHookScopes('TensorFlow.js', tracker, door)

  const measure =
    (place: number) =>
    (original: Method): Method =>
      function fit(...args) {
        const scope = scopes.begin({ name, kind: 'training' })
        if (scope === undefined) return original.apply(this, args)
        const fitScope: FitScope = { scope, tracker, training: undefined }
        const withCallback = scopes.attempt(() => addCallback(args, place, options)) ?? args
        const whole: Pick<WorkScope, 'run' | 'end'> = {
          run: (action) =>
            scope.run(() => {
              const around = currentScope()
              if (around !== undefined) fitScopes.set(around, fitScope)
              return action()
            }),
          end(outcome) {
            fitScope.training?.end(outcome)
            scope.end(outcome)
          },
        }
        return runInScope(whole, () => original.apply(this, withCallback), isAsync(original))
      }
  return measureMethods(model, {
    fit: measure(placeOfConfig.fit),
    fitDataset: measure(placeOfConfig.fitDataset),
  })
}

function modelOf(tf: unknown): Model {
  const prototype = (tf as { LayersModel?: { prototype?: Partial<Model> } } | undefined)?.LayersModel
    ?.prototype
  if (typeof prototype?.fit !== 'function' || typeof prototype.fitDataset !== 'function')
    throw new ConfigError(
      'carbonTfjs: expected what @tensorflow/tfjs exports, with LayersModel.prototype.fit and fitDataset',
    )
  return prototype as Model
}

/** The arguments with our callback as the last one; those of the program are not changed. */
function addCallback(args: readonly unknown[], place: number, options: TfjsOptions): unknown[] {
  const config = args[place]
  // fitDataset has to have one, and says so itself.
  if (config === undefined && place === placeOfConfig.fitDataset) return [...args]
  const { callbacks } = (config ?? {}) as { callbacks?: unknown }
  const list = toList(callbacks)
  if (list.some(isCarbonCallback)) return [...args]
  const changed = [...args]
  changed[place] = { ...(config as object | undefined), callbacks: [...list, carbonCallback(options)] }
  return changed
}

function toList(callbacks: unknown): readonly unknown[] {
  if (callbacks === undefined || callbacks === null) return []
  return Array.isArray(callbacks) ? callbacks : [callbacks]
}
