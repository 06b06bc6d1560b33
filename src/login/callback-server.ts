import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LoginError } from './login-error.ts'

/** Where a browser comes back to when its user has logged in. */
export interface CallbackServer {
  /** What the provider sends the browser to. */
  readonly redirectUri: string
  /**
   * The address that the browser came with, and how to tell its user what came of it. Requests with another `state` are somebody else's and
   * are refused.
   */
  arrival(state: string, signal: AbortSignal): Promise<Arrival>
  close(): void
}

/** A browser that came back and waits for its page. */
export interface Arrival {
  readonly address: URL
  /** Resolves when the page is sent, or nobody is there to see it. */
  tell(isLoggedIn: boolean): Promise<void>
}

const path = '/callback'

/**
 * Listens on this machine alone, by both of the addresses that `localhost` has. Port 0 is any that is free.
 *
 * @throws LoginError where the port is taken
 */
export async function listenForCallback(port: number): Promise<CallbackServer> {
  let onRequest: ((address: URL, response: ServerResponse) => void) | undefined
  const create = (): Server =>
    createServer((request, response) => {
      const address = new URL(request.url ?? '/', redirectUri)
      const isCallback = request.method === 'GET' && address.pathname === path
      if (isCallback && onRequest !== undefined) onRequest(address, response)
      else answer(response, 404, 'There is nothing here.')
    })
  const first = create()
  const taken = await listen(first, port, '127.0.0.1')
  const redirectUri = `http://localhost:${taken}${path}`
  const second = create()
  try {
    await listen(second, taken, '::1')
  } catch (error) {
    // A machine without IPv6 has no such address. A port that is another program's there would give it the answer.
    if (error instanceof LoginError) {
      first.close()
      throw error
    }
  }
  return {
    redirectUri,
    arrival: (state, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error)
        })
        onRequest = (address, response) => {
          if (address.searchParams.get('state') !== state) {
            answer(response, 400, 'This is not the login that is waited for.')
            return
          }
          onRequest = undefined
          resolve({ address, tell: (isLoggedIn) => tell(response, isLoggedIn) })
        }
      }),
    close() {
      for (const server of [first, second]) {
        server.close()
        // Browsers open some that they may need later.
        server.closeAllConnections()
      }
    },
  }
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE' || error.code === 'EACCES'
      reject(
        isTaken
          ? new LoginError(
              `port ${port} of this machine, which the browser is to come back to, is taken; end what uses it, or run: codecarbon login --device`,
            )
          : error,
      )
    })
    server.listen(port, host, () => {
      resolve((server.address() as AddressInfo).port)
    })
  })
}

function tell(response: ServerResponse, isLoggedIn: boolean): Promise<void> {
  return new Promise((resolve) => {
    response.on('close', resolve)
    if (isLoggedIn) answer(response, 200, 'You are logged in. You can close this page.')
    else answer(response, 400, 'The login failed. The terminal says why.')
  })
}

/** A page that holds nothing of the request. */
function answer(response: ServerResponse, status: number, words: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'",
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    connection: 'close',
  })
  response.end(`<!doctype html><title>CodeCarbon</title><p>${words}</p>\n`)
}
