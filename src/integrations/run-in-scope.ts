import type { WorkScope } from '../scopes/work-scope.ts'
import { isThenable } from '../thenable.ts'

/**
 * Runs a function in a scope, which ends with it: a promise is waited for, results and errors pass through. Without a scope it only runs.
 */
export function runInScope<T>(scope: Pick<WorkScope, 'run' | 'end'> | undefined, fn: () => T): T {
  if (scope === undefined) return fn()
  let result: T
  try {
    result = scope.run(fn)
  } catch (error) {
    scope.end(outcomeOf(error))
    throw error
  }
  if (!isThenable(result)) {
    scope.end()
    return result
  }
  return Promise.resolve(result).then(
    (value: unknown) => {
      scope.end()
      return value
    },
    (error: unknown) => {
      scope.end(outcomeOf(error))
      throw error
    },
  ) as T
}

/** What an error says of how something ended: whoever asked for it took it back, or it failed. */
export const outcomeOf = (error: unknown): 'aborted' | 'error' =>
  typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError'
    ? 'aborted'
    : 'error'
