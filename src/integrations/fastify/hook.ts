import { listenTo } from '../http/listen-to.ts'
import { RequestScopes } from '../http/request-scopes.ts'
import type { LibraryHook } from '../register/library-hook.ts'
import { fastifyNaming, type FastifyReply, type FastifyRequest } from './fastify-naming.ts'

/** What Fastify tells before it calls a handler. */
interface HandlerStart {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

let requests: RequestScopes | undefined

/** Names the requests of all servers of Fastify by their routes, and begins those of HTTP/2, which Node itself tells nobody of. */
export const fastifyHook: LibraryHook = {
  name: 'fastify',
  packages: ['fastify'],
  versions: '>=5 <6',
  install() {
    if (requests !== undefined) return
    const begun = (requests = new RequestScopes('codecarbon: fastify', {}, fastifyNaming))
    listenTo('tracing:fastify.request.handler:start', begun.failures, (message) => {
      const { request, reply } = message as HandlerStart
      begun.begin(request.raw, reply.raw, request)
    })
  },
}
