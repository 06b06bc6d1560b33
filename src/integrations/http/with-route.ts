import type { Failures } from './failures.ts'
import type { Naming } from './request-scope.ts'

/** A naming that asks a function of the user first. One that throws has no answer. */
export function withRoute(
  naming: Naming,
  route: (source: never) => string | undefined,
  failures: Failures,
): Naming {
  const ask = (source: never): string | undefined => {
    try {
      return route(source)
    } catch (error) {
      failures.hadNoRoute(error)
      return undefined
    }
  }
  return { ...naming, routeOf: (source) => ask(source) ?? naming.routeOf(source) }
}
