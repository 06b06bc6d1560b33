/** Which have been told of. */
const told = new Set<string>()

/** What a framework gives a middleware behind the request or the context. */
type BehindRequest = readonly [...unknown[], next: () => unknown]

/** Whether a function that makes a middleware was given to the framework as if it were one: `app.use(carbon)`. */
export const isCalledAsMiddleware = (rest: readonly unknown[]): rest is BehindRequest =>
  typeof rest.at(-1) === 'function'

/** Lets such a request go on, and tells it once. @returns what the framework waits for */
export function passOn(hook: string, rest: BehindRequest): never {
  if (!told.has(hook)) {
    told.add(hook)
    process.emitWarning(
      `${hook}: nothing is measured: write app.use(carbon()), with parentheses, instead of app.use(carbon)`,
      'CodeCarbonWarning',
    )
  }
  return (rest.at(-1) as () => never)()
}
