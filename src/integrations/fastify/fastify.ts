import type { ConfigError } from '../../core/errors.ts'
import { openOf } from '../http/open-requests.ts'
import type { RequestOptions } from '../http/request-options.ts'
import type { HttpRequest } from '../http/http-types.ts'
import { RequestScopes } from '../http/request-scopes.ts'
import { fastifyNaming, type FastifyReply, type FastifyRequest } from './fastify-naming.ts'

export { scopeOf } from '../http/open-requests.ts'
export type { FastifyReply, FastifyRequest } from './fastify-naming.ts'

/** Options of {@link carbon}. */
export type FastifyOptions = RequestOptions<HttpRequest, FastifyRequest>

/** An instance of Fastify, as far as it is needed here. */
export interface FastifyServer {
  addHook(
    name: 'onRequest' | 'preValidation',
    hook: (request: FastifyRequest, reply: FastifyReply, done: () => void) => void,
  ): unknown
}

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
    addHooksTo(server, options)
    done()
  } catch (error) {
    // What is thrown here is an uncaught error to Fastify.
    done(error as ConfigError)
  }
}

function addHooksTo(server: FastifyServer, options: FastifyOptions): void {
  const requests = new RequestScopes('codecarbon/fastify', options, fastifyNaming)
  server.addHook('onRequest', (request, reply, next) => {
    requests.run(requests.begin(request.raw, reply.raw, request), next)
  })
  if (requests.isCurrent) {
    // A body is read in events of the socket, which know of no request; what follows them runs inside of it again.
    server.addHook('preValidation', (request, _reply, next) => {
      requests.run(openOf(request.raw) ?? undefined, next)
    })
  }
}
