import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'

/** A request as Node hands it out, of HTTP/1 or of HTTP/2. */
export type HttpRequest = IncomingMessage | Http2ServerRequest

/** Its response. */
export type HttpResponse = ServerResponse | Http2ServerResponse

/** What an answer needs to be recognised by where no server of Node is below, as in tests of Hono. */
export interface BareRequest {
  readonly method?: string | undefined
  /** A path with its query, or a whole address. */
  readonly url?: string | undefined
}
