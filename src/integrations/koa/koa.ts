import type { RequestOptions } from '../http/request-options.ts'
import type { HttpRequest, HttpResponse } from '../http/http-types.ts'
import { isCalledAsMiddleware, passOn } from '../http/pass-on.ts'
import type { Naming } from '../http/request-scope.ts'
import { RequestScopes } from '../http/request-scopes.ts'

export { scopeOf } from '../http/open-requests.ts'

/** A context of Koa, as far as it is needed here. */
export interface KoaContext {
  readonly req: HttpRequest
  readonly res: HttpResponse
  readonly path: string
  /** What `@koa/router` has matched, with the prefixes of its routers. */
  readonly _matchedRoute?: unknown
}

/** Options of {@link carbon}. */
export type KoaOptions = RequestOptions<KoaContext>

/** A middleware of Koa. */
export type KoaMiddleware = (context: KoaContext, next: () => Promise<unknown>) => Promise<unknown>

const koaNaming: Naming<KoaContext> = {
  kind: 'koa',
  routeOf: ({ _matchedRoute: route }) =>
    typeof route === 'string' || route instanceof RegExp ? String(route) : undefined,
}

/**
 * Measures the energy and emissions of each request, by method, route of `@koa/router` and class of its status. Put it before everything that is to be
 * measured. With another router, say with `route` how to know a route.
 *
 * @param rest nothing; what is there shows that the function was given to the framework instead of what it returns
 * @throws ConfigError for a wrong option
 * @example
 * app.use(carbon({ exclude: ['/health', '/metrics'] }))
 */
export function carbon(options: KoaOptions = {}, ...rest: readonly never[]): KoaMiddleware {
  if (isCalledAsMiddleware(rest)) return passOn('codecarbon/koa', rest)
  const requests = new RequestScopes('codecarbon/koa', options, koaNaming)
  return (context, next) => requests.run(requests.begin(context.req, context.res, context), next)
}
