import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { HttpResponse } from '../http/http-types.ts'
import type { Naming } from '../http/request-scope.ts'

/** A request of Fastify, as far as it is needed here. */
export interface FastifyRequest {
  readonly raw: IncomingMessage | Http2ServerRequest
  readonly url: string
  readonly routeOptions: { readonly url?: string | undefined }
}

/** A reply of Fastify, as far as it is needed here. */
export interface FastifyReply {
  readonly raw: HttpResponse
}

export const fastifyNaming: Naming<FastifyRequest> = {
  kind: 'fastify',
  routeOf: ({ routeOptions }) => routeOptions.url,
}
