import type { Http2ServerResponse } from 'node:http2'
import type { HttpResponse } from './http-types.ts'

const classes = ['0xx', '1xx', '2xx', '3xx', '4xx', '5xx']

/** The class of a status, such as `2xx`; one of six. */
export const statusClass = (status: number): string => classes[Math.floor(status / 100)] ?? '0xx'

/** How a response has ended that is closed: the class of its status, or `aborted` where the client went away before. */
export const outcomeOf = (response: HttpResponse): string =>
  isAborted(response) ? 'aborted' : statusClass(response.statusCode)

const isOfHttp2 = (response: HttpResponse): response is Http2ServerResponse =>
  requestOf(response)?.httpVersionMajor === 2

function isAborted(response: HttpResponse): boolean {
  // Of HTTP/2 it is finished in any case.
  if (isOfHttp2(response)) return response.stream.aborted
  if (response.writableFinished) return false
  // `inject` of Fastify closes a response before it finishes it, on a socket that nobody has destroyed.
  return !response.writableEnded || requestOf(response)?.socket?.destroyed === true
}

/** What a response says of its request; adapters to other servers make some that say little of it, or nothing. */
const requestOf = (response: {
  readonly req?: { readonly httpVersionMajor?: number; readonly socket?: { readonly destroyed: boolean } }
}): typeof response.req => response.req
