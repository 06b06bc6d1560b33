import type { IncomingMessage, ServerResponse } from 'node:http'
import { isCalledAsMiddleware, passOn } from '../http/pass-on.ts'
import type { RequestOptions } from '../http/request-options.ts'
import { RequestScopes } from '../http/request-scopes.ts'
import { expressNaming } from './express-naming.ts'
import type { ExpressRequest } from './express-request.ts'
import { mountPaths } from './mount-paths.ts'

export { scopeOf } from '../http/open-requests.ts'
export type { ExpressRequest } from './express-request.ts'

/** Options of {@link carbon}. */
export type ExpressOptions = RequestOptions<ExpressRequest>

/** A middleware of Express, and of what takes such. */
export type ExpressMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * Measures the energy and emissions of each request, by method, route and class of its status. Put it before everything that is to be measured.
 *
 * @param rest nothing; what is there shows that the function was given to the framework instead of what it returns
 * @throws ConfigError for a wrong option
 * @example
 * app.use(carbon({ exclude: ['/health', '/metrics'] }))
 */
export function carbon(options: ExpressOptions = {}, ...rest: readonly never[]): ExpressMiddleware {
  if (isCalledAsMiddleware(rest)) return passOn('codecarbon/express', rest)
  const requests = new RequestScopes('codecarbon/express', options, expressNaming)
  mountPaths.watch()
  return (request, response, next) => {
    requests.run(requests.begin(request, response, request), next)
  }
}
