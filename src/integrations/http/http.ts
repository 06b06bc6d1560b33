import type { IncomingMessage } from 'node:http'
import type { RequestOptions } from './request-options.ts'
import type { Naming } from './request-scope.ts'
import { RequestScopes } from './request-scopes.ts'
import { watchServers } from './server-events.ts'

export { scopeOf } from './open-requests.ts'
export type { RequestOptions } from './request-options.ts'
export type { FilterOptions, OfRequest, RouteMatch } from './route-filter.ts'
export type { BareRequest, HttpRequest, HttpResponse } from './http-types.ts'

/** Options of {@link trackHttpServers}. */
export type HttpServerOptions = RequestOptions<IncomingMessage>

/** All servers of a process that are being measured. */
export interface HttpTracking {
  /** Measures no more requests; those that have begun are measured to their end. */
  stop(): void
}

/**
 * Measures the energy and emissions of each request to servers of `node:http` and `node:https` in this process, whatever is built on them, by method and class of
 * the status. There are no routes at this level: `route` says how to know one, and what it has no answer for is `_unmatched`.
 *
 * @throws ConfigError for a wrong option
 * @example
 * trackHttpServers({ route: ({ url }) => (url?.startsWith('/users/') ? '/users/:id' : undefined) })
 */
export function trackHttpServers(options: HttpServerOptions = {}): HttpTracking {
  const naming: Naming<IncomingMessage> = {
    kind: 'http',
    routeOf: () => (options.route === undefined ? '' : undefined),
  }
  const requests = new RequestScopes('codecarbon/http', options, naming, 'trackHttpServers')
  return { stop: watchServers(requests) }
}
