import type { ConfigError } from '../../core/errors.ts'
import type { RequestOptions } from '../http/request-options.ts'
import { RequestScopes } from '../http/request-scopes.ts'
import { fastifyNaming, type FastifyRequest } from './fastify-naming.ts'
import { measureServer, type FastifyServer } from './fastify-server.ts'

export { scopeOf } from '../http/open-requests.ts'
export type { FastifyReply, FastifyRequest } from './fastify-naming.ts'
export type { FastifyServer } from './fastify-server.ts'

/** Options of {@link carbon}. */
export type FastifyOptions = RequestOptions<FastifyRequest>

/** A plugin of Fastify. */
export type FastifyPlugin = (
  server: FastifyServer,
  options: FastifyOptions,
  done: (error?: Error) => void,
) => void

/**
 * Measures the energy and emissions of each request, by method, route and class of its status: of all routes of the server at which it is registered, and below.
 *
 * @throws ConfigError for a wrong option, as the server gets ready
 * @example
 * fastify.register(carbon, { exclude: ['/health', '/metrics'] })
 */
export const carbon: FastifyPlugin = Object.assign(addHooks, {
  // What `fastify-plugin` sets: the hooks count for the server itself, not for a part of it.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'codecarbon',
  [Symbol.for('plugin-meta')]: { name: 'codecarbon', fastify: '5.x' },
})

function addHooks(server: FastifyServer, options: FastifyOptions, done: (error?: Error) => void): void {
  try {
    measureServer(server, new RequestScopes('codecarbon/fastify', options, fastifyNaming))
    done()
  } catch (error) {
    // What is thrown here is an uncaught error to Fastify.
    done(error as ConfigError)
  }
}
