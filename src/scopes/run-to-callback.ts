import { types } from 'node:util'
import { outcomeOf, runToEnd } from './run-to-end.ts'
import { tellEnd } from './tell-end.ts'

/**
 * Runs a function that is done when it calls its last argument, with an error where it failed, and says how it ended. Without such an argument it ends as any
 * other function. One that calls back may be async as well: that its promise is resolved says nothing, that it is rejected does.
 *
 * @param fn is given the arguments that it is to be called with
 * @param isAsync whether it is an async function, or does nothing but return what such a one does
 */
export function runToCallback<Args extends unknown[], Result>(
  args: Args,
  fn: (args: Args) => Result,
  end: (outcome: string) => void,
  isAsync = false,
): Result {
  const callback: unknown = args.at(-1)
  if (typeof callback !== 'function') return runToEnd(() => fn(args), end, undefined, isAsync)
  let hasEnded = false
  const endOnce = (outcome: string): void => {
    if (!hasEnded) end(outcome)
    hasEnded = true
  }
  function done(this: unknown, ...told: unknown[]): unknown {
    endOnce(told[0] == null ? 'ok' : outcomeOf(told[0]))
    return Reflect.apply(callback as () => unknown, this, told)
  }
  const onError = (error: unknown): void => {
    endOnce(outcomeOf(error))
  }
  let result: Result
  try {
    result = fn([...args.slice(0, -1), Object.assign(done, callback)] as unknown[] as Args)
  } catch (error) {
    onError(error)
    throw error
  }
  return types.isPromise(result) ? tellEnd(result, { onValue: () => undefined, onError }, isAsync) : result
}
