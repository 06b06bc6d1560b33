/** Does something with each, whatever comes of the others. @throws the first error, when it is done with all */
export function doEach<T>(all: Iterable<T>, action: (one: T) => void): void {
  const errors: unknown[] = []
  for (const one of all) {
    try {
      action(one)
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
}
