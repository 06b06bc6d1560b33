import type { RequestOptions } from '../http/request-options.ts'
import type { BareRequest, HttpRequest, HttpResponse } from '../http/http-types.ts'
import { statusClass } from '../http/outcome.ts'
import { isCalledAsMiddleware, passOn } from '../http/pass-on.ts'
import type { Naming } from '../http/request-scope.ts'
import { RequestScopes } from '../http/request-scopes.ts'

export { scopeOf } from '../http/open-requests.ts'

/** A context of Hono, as far as it is needed here. */
export interface HonoContext {
  readonly req: {
    readonly raw: BareRequest & object
    readonly path: string
    readonly routePath: string
    readonly routeIndex: number
    readonly matchedRoutes: readonly { readonly method: string; readonly path: string }[]
  }
  readonly res: { readonly status: number }
  /** `@hono/node-server` has the request and the response of Node here. */
  readonly env: unknown
}

/** Options of {@link carbon}. */
export type HonoOptions = RequestOptions<HonoContext>

/** A middleware of Hono. */
export type HonoMiddleware = (context: HonoContext, next: () => Promise<void>) => Promise<void>

const honoNaming: Naming<HonoContext> = {
  kind: 'hono',
  routeOf({ req, res }) {
    const route = req.matchedRoutes[req.routeIndex]
    // The last that was called is a middleware: nothing has answered.
    const isMiddleware = route?.method === 'ALL' && route.path.endsWith('*') && res.status === 404
    return isMiddleware ? undefined : req.routePath
  },
}

/**
 * Measures the energy and emissions of each request, by method, route and class of its status. Put it before everything that is to be measured. On
 * `@hono/node-server` a response is measured to its end; elsewhere until its handlers have returned it.
 *
 * @param rest nothing; what is there shows that the function was given to the framework instead of what it returns
 * @throws ConfigError for a wrong option
 * @example
 * app.use(carbon({ exclude: ['/health', '/metrics'] }))
 */
export function carbon(options: HonoOptions = {}, ...rest: readonly never[]): HonoMiddleware {
  if (isCalledAsMiddleware(rest)) return passOn('codecarbon/hono', rest)
  const requests = new RequestScopes('codecarbon/hono', options, honoNaming)
  return async (context, next) => {
    const { incoming, outgoing } = toNode(context.env)
    if (incoming !== undefined && outgoing !== undefined)
      return requests.run(requests.begin(incoming, outgoing, context), next)
    // An upgrade to a WebSocket comes with a request of Node and no response.
    if (incoming !== undefined) return next()
    const open = requests.beginBare(context.req.raw, context)
    try {
      await requests.run(open, next)
    } finally {
      open?.end(statusClass(context.res.status))
    }
  }
}

const toNode = (env: unknown): { readonly incoming?: HttpRequest; readonly outgoing?: HttpResponse } =>
  typeof env === 'object' && env !== null ? env : {}
