import type { ScopeSource } from '../../scopes/process-scopes.ts'
import type { CurrentScope, WorkScope } from '../../scopes/work-scope.ts'
import type { Training } from './training.ts'

/** A scope around a call of `fit`. */
export interface FitScope {
  readonly scope: WorkScope
  /** That its options named. */
  readonly tracker: ScopeSource | undefined
  /** What a callback inside has made of it. */
  training: Training | undefined
}

/** One for all copies of this package in a process; with a number that changes when what is there does. */
const key = Symbol.for('codecarbon.tfjs-fits.1')
const holder = globalThis as { [key]?: WeakMap<CurrentScope, FitScope> }

/** Those that `carbonTfjs` has begun, so that a callback inside takes part in them instead of beginning its own. */
export const fitScopes: WeakMap<CurrentScope, FitScope> = (holder[key] ??= new WeakMap())
