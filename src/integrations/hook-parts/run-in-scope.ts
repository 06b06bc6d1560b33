import { runToEnd } from '../../scopes/run-to-end.ts'
import type { WorkScope } from '../../scopes/work-scope.ts'

/**
 * Runs a function in a scope, which ends with it. Without a scope it only runs.
 *
 * @param isAsync whether it is an async function, or does nothing but return what such a one does
 */
export const runInScope = <T>(
  scope: Pick<WorkScope, 'run' | 'end'> | undefined,
  fn: () => T,
  isAsync = false,
): T =>
  scope === undefined
    ? fn()
    : runToEnd(
        () => scope.run(fn),
        (outcome) => {
          scope.end(outcome)
        },
        undefined,
        isAsync,
      )
