import { listenTo } from '../http/listen-to.ts'
import { RequestScopes } from '../http/request-scopes.ts'
import type { LibraryHook } from '../register/library-hook.ts'
import { fastifyNaming } from './fastify-naming.ts'
import { measureServer, type FastifyServer } from './fastify-server.ts'

/** What Fastify tells of a server that is being made. */
interface Initialization {
  readonly fastify: FastifyServer
}

let requests: RequestScopes | undefined

/** Measures the requests of all servers of Fastify by their routes, also those of HTTP/2, which Node itself tells nobody of. */
export const fastifyHook: LibraryHook = {
  name: 'fastify',
  packages: ['fastify'],
  versions: '>=5 <6',
  install() {
    if (requests !== undefined) return
    const begun = (requests = new RequestScopes('codecarbon: fastify', {}, fastifyNaming))
    listenTo('fastify.initialization', begun.failures, (message) => {
      measureServer((message as Initialization).fastify, begun)
    })
  },
}
