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

/** Those that `carbonTfjs` has begun, so that a callback inside takes part in them instead of beginning its own. */
export const fitScopes: WeakMap<CurrentScope, FitScope> = new WeakMap()
