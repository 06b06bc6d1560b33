import { openOf } from '../http/open-requests.ts'
import type { RequestScopes } from '../http/request-scopes.ts'
import type { FastifyReply, FastifyRequest } from './fastify-naming.ts'

/** An instance of Fastify, as far as it is needed here. */
export interface FastifyServer {
  addHook(
    name: 'onRequest' | 'preValidation',
    hook: (request: FastifyRequest, reply: FastifyReply, done: () => void) => void,
  ): unknown
}

/** Begins the requests of a server, those that match no route, too. */
export function measureServer(server: FastifyServer, requests: RequestScopes): void {
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
