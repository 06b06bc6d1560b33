import type { IncomingMessage, ServerResponse } from 'node:http'
import { ownServers } from '../../http/own-servers.ts'
import { listenTo } from './listen-to.ts'
import type { RequestScopes } from './request-scopes.ts'

/** What Node tells when the head of a request has come. Upgrades and CONNECT are not among them. */
interface RequestStart {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly server: object
}

/** `http.server.response.created` of newer versions comes with the same two objects, and later. */
const requestStart = 'http.server.request.start'

/** Begins the requests of all servers of `node:http` in this process. @returns what stops that */
export function watchServers(requests: RequestScopes): () => void {
  return listenTo(requestStart, requests.failures, (message) => {
    const { request, response, server } = message as RequestStart
    if (ownServers.has(server)) return
    requests.begin(request, response, request)
    requests.enter(request)
  })
}
