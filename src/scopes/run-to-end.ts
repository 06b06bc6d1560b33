import { isThenable } from '../thenable.ts'

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

/** Runs a function and says how it ended: a promise is waited for, results and errors pass through. */
export function runToEnd<Result>(
  fn: () => Result,
  end: (outcome: string) => void,
  { ofResult, ofError }: Outcomes = usual,
): Result {
  let result: Result
  try {
    result = fn()
  } catch (error) {
    end(ofError(error))
    throw error
  }
  if (!isThenable(result)) {
    end(ofResult(result))
    return result
  }
  return Promise.resolve(result).then(
    (value: unknown) => {
      end(ofResult(value))
      return value
    },
    (error: unknown) => {
      end(ofError(error))
      throw error
    },
  ) as Result
}
