/** Is told how a promise settles. */
export interface EndListener {
  readonly onValue: (value: unknown) => void
  readonly onError: (error: unknown) => void
}

/**
 * Tells how a promise settles that a function has returned, before whoever gets it hears of that.
 *
 * To listen to a promise is to handle its rejection, and nothing says whether anybody else does. Nobody else has the promise of an async function yet: another
 * one stands for it, whose rejection is unhandled where the program does not handle it. Any other promise may be handled already, may be known to others, and
 * may be more than a promise: it is returned itself.
 *
 * @param isAsync whether it is that of an async function
 * @returns what the function is to return
 */
export function tellEnd<Result extends Promise<unknown>>(
  promise: Result,
  { onValue, onError }: EndListener,
  isAsync: boolean,
): Result {
  if (isAsync)
    return promise.then(
      (value) => {
        onValue(value)
        return value
      },
      (error: unknown) => {
        onError(error)
        throw error
      },
    ) as Result
  try {
    // Not its own `then`, which may begin something.
    void Promise.prototype.then.call(
      promise,
      (value: unknown) => {
        onValue(value)
      },
      (error: unknown) => {
        onError(error)
      },
    )
  } catch {
    // A subclass whose constructor takes something else cannot be listened to.
    onValue(promise)
  }
  return promise
}
