import type { Agent } from 'node:http'
import { nameLookup } from './name-lookup.ts'

/** What is asked. The part of the standard `fetch` that is used here: `globalThis.fetch` is a {@link Fetch} too. */
export interface FetchInit {
  /** @default 'GET' */
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE'
  readonly headers: Record<string, string>
  /** Text is sent in UTF-8. */
  readonly body?: string | Uint8Array
  /** Redirects come back as they are. */
  readonly redirect: 'manual'
  readonly signal: AbortSignal
}

/** An answer whose body may still be on its way. */
export interface Fetched {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: AsyncIterable<Uint8Array> | null
}

/** Sends a request. */
export type Fetch = (url: string, init: FetchInit) => Promise<Fetched>

/** How a server is to prove who it is, and who asks. Certificates and keys are PEM. */
export interface TlsSettings {
  /** Certificates that the server's one is signed with, instead of those of Node.js. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** Name that the server's certificate has to have, instead of that in the address. */
  readonly servername?: string
  /** @default true */
  readonly rejectUnauthorized?: boolean
}

/**
 * A request over `node:http` or `node:https` that keeps no program waiting. The socket is unref'd from its first moment, and destroyed at
 * once when the signal says so. The global `fetch` can do neither: it keeps the process alive while a server is silent, and where a
 * firewall drops what is sent it goes on connecting for 10 s after it was aborted (Node.js 20.19 to 26). Follows no redirects.
 */
export const httpRequest: Fetch = (url, init) => send(url, init, {})

/** The same with settings of one's own for TLS. */
export const createHttpRequest =
  (tls: TlsSettings): Fetch =>
  (url, init) =>
    send(url, init, tls)

/** The same where the user says that the certificate of a server is not to be checked. */
export const httpRequestUnchecked: Fetch = createHttpRequest({ rejectUnauthorized: false })

/** Requests one after the other over a connection that is kept between them. */
export interface KeptConnection {
  readonly fetch: Fetch
  /** Ends the connection. */
  close(): void
}

/** A connection that nobody has used for so long is closed, before servers do so, which usually wait for 5 s or more. */
const idleMs = 2000

/** The same over a connection that is kept, for those who send much. */
export function keepConnection(): KeptConnection {
  const agents = new Map<string, Agent>()
  return {
    async fetch(url, init) {
      const protocol = url.startsWith('https:') ? 'https' : 'http'
      let agent = agents.get(protocol)
      if (agent === undefined) {
        const { Agent } = await (protocol === 'https' ? import('node:https') : import('node:http'))
        agent = new Agent({ keepAlive: true, maxSockets: 1, timeout: idleMs })
        agents.set(protocol, agent)
      }
      return send(url, init, {}, agent)
    },
    close() {
      for (const agent of agents.values()) agent.destroy()
      agents.clear()
    },
  }
}

async function send(
  url: string,
  { method = 'GET', headers, body, signal }: FetchInit,
  tls: TlsSettings,
  agent: Agent | false = false,
): Promise<Fetched> {
  // Loaded when it is first needed, which for most programs is never.
  const { request } = await (url.startsWith('https:') ? import('node:https') : import('node:http'))
  const lookup = nameLookup(signal)
  const options = {
    ...{ method, headers, signal, agent, ...tls },
    ...(lookup === undefined ? {} : { lookup }),
  }
  return new Promise((resolve, reject) => {
    const exchange = request(url, options, (response) => {
      // Whoever reads the body is told of its error; where nobody does, it is of no interest.
      response.on('error', () => undefined)
      resolve({
        status: response.statusCode ?? 0,
        headers: {
          get(name) {
            const value = response.headers[name.toLowerCase()]
            return Array.isArray(value) ? value.join(', ') : (value ?? null)
          },
        },
        body: response,
      })
    })
    exchange.on('socket', (socket) => {
      socket.unref()
    })
    exchange.on('error', reject)
    exchange.end(body)
  })
}
