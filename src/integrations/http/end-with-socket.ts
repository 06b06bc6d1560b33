import type { RequestScope } from './request-scope.ts'

/** What is needed of a socket. */
interface Closing {
  once(event: 'close', listener: () => void): unknown
}

/** A connection that lasts must not keep the requests that have ended. */
const mostKept = 32

const waiting = new WeakMap<Closing, Set<RequestScope>>()

/**
 * Ends a request with its socket whose response waits for an earlier one of a pipeline: such a response is not always told that the socket has closed
 * (Node 20 does not). One listener a socket.
 */
export function endWithSocket(socket: Closing, open: RequestScope): void {
  const known = waiting.get(socket)
  if (known !== undefined) {
    if (known.size >= mostKept) for (const request of known) if (request.isEnded) known.delete(request)
    known.add(open)
    return
  }
  const requests = new Set([open])
  waiting.set(socket, requests)
  socket.once('close', () => {
    for (const request of requests) request.end('aborted')
    requests.clear()
  })
}
