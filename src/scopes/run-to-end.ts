import { types } from 'node:util'
import { tellEnd } from './tell-end.ts'

/** Names the ways in which something may end. */
export interface Outcomes {
  readonly ofResult: (result: unknown) => string
  readonly ofError: (error: unknown) => string
}

/** What an error says of how something ended: whoever asked for it took it back, or it failed. */
export const outcomeOf = (error: unknown): 'aborted' | 'error' =>
  typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError'
    ? 'aborted'
    : 'error'

const usual: Outcomes = { ofResult: () => 'ok', ofError: outcomeOf }

/**
 * Runs a function and says how it ended: a promise is listened to, results and errors pass through. A thenable that is no promise is a result like any other:
 * many begin their work when they are awaited.
 *
 * @param isAsync whether the function is an async one, or does nothing but return what such a one does
 */
export function runToEnd<Result>(
  fn: () => Result,
  end: (outcome: string) => void,
  { ofResult, ofError }: Outcomes = usual,
  isAsync = false,
): Result {
  const listener = {
    onValue: (value: unknown): void => {
      end(ofResult(value))
    },
    onError: (error: unknown): void => {
      end(ofError(error))
    },
  }
  let result: Result
  try {
    result = fn()
  } catch (error) {
    listener.onError(error)
    throw error
  }
  if (types.isPromise(result)) return tellEnd(result, listener, isAsync)
  listener.onValue(result)
  return result
}
