import { readFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { SecureContextOptions } from 'node:tls'
import { isIP } from 'node:net'
import { ownServers } from '../../http/own-servers.ts'
import { createBasicAuth, type Sender } from './basic-auth.ts'
import { limitConnections } from './connections.ts'
import {
  hasChanged,
  asksForPasswords,
  isEmpty,
  loadWebConfig,
  whyNeedsNewStart,
  type LoadedWebConfig,
  type WebConfig,
  type WebTls,
} from './web-config.ts'

/** Options of {@link startServer}. */
export interface ServerOptions {
  readonly port: number
  readonly host: string
  readonly webConfigFile?: string | undefined
  /** What paths answer. */
  readonly routes: Readonly<Record<string, Route>>
  /** Something went wrong that stops nothing. */
  readonly onError: (message: string) => void
}

/** Answers a request whose sender has been let in. */
export type Route = (request: IncomingMessage, response: ServerResponse) => void

/** A server that listens. */
export interface RunningServer {
  /** The one that the system chose where none was asked for. */
  readonly port: number
  readonly url: string
  close(): Promise<void>
}

/** A scraper sends a few hundred bytes and is done in a second; whoever is slower is cut off. */
const limits = {
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 65_000,
  maxHeaderSize: 16_384,
  // Node looks for those who are too slow every 30 s unless told otherwise.
  connectionsCheckingInterval: 1000,
  // Asks a client that has not said a word for so long whether it is still there: a machine that lost its power closes nothing.
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
}
/** Who takes no byte of an answer for so long is cut off, milliseconds. */
const longestStall = 10_000
const mostConnections = 100

/**
 * A small hardened HTTP server: no timer or socket of it keeps the process alive, slow clients are cut off, and requests that were meant for
 * another host are refused, which keeps web pages from reading it by DNS rebinding. TLS, client certificates and passwords are ruled by
 * a web configuration file, which is read again when it changes.
 *
 * @throws ConfigError for a wrong web configuration file; the system's error where it cannot listen
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { port, host, webConfigFile, routes, onError } = options
  let loaded = await load(webConfigFile)
  const check = createBasicAuth()
  let failure: string | undefined
  if (loaded !== undefined && isEmpty(loaded.config)) {
    onError(`web_config_file ${webConfigFile} is empty: everybody who reaches the port may look`)
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await reload()
    const config = loaded?.config
    setHeaders(response, config)
    if (!isForUs(request.headers.host, host)) {
      refuse(response, 421, 'this request was meant for another host')
      return
    }
    const isAllowed =
      config === undefined || !asksForPasswords(config) || (await check(config.users, senderOf(request)))
    if (typeof isAllowed === 'object') {
      response.setHeader('retry-after', String(Math.ceil(isAllowed.retryAfterMs / 1000)))
      refuse(response, 503, 'too many passwords were to be checked')
      return
    }
    if (!isAllowed) {
      response.setHeader('www-authenticate', 'Basic realm="codecarbon", charset="UTF-8"')
      refuse(response, 401, 'name and password are needed')
      return
    }
    const [path = '/'] = (request.url ?? '/').split('?', 1)
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined
    if (route === undefined) refuse(response, 404, 'there is nothing here: /metrics has the metrics')
    else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      refuse(response, 405, 'only GET and HEAD are answered')
    } else route(request, response)
  }

  async function reload(): Promise<void> {
    if (webConfigFile === undefined || loaded === undefined) return
    if (!hasChanged(webConfigFile, loaded)) {
      failure = undefined
      return
    }
    try {
      const next = await load(webConfigFile)
      const why = whyNeedsNewStart(loaded.config, next.config)
      if (why !== undefined) throw new Error(`web_config_file ${webConfigFile}: ${why}`)
      const { tls } = next.config
      if (tls !== undefined && 'setSecureContext' in server) server.setSecureContext(contextOf(tls))
      loaded = next
      failure = undefined
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      // Once for each thing that is wrong, however often somebody asks.
      if (message !== failure) onError(`${message}; what was read before goes on`)
      failure = message
    }
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    if (!connections.mayAnswer(request, response)) return
    request.resume()
    answer(request, response).catch((error: unknown) => {
      onError(error instanceof Error ? error.message : String(error))
      if (response.headersSent) response.destroy()
      else refuse(response, 500, 'the request could not be answered')
    })
  }
  const server = await createServer(loaded?.config.tls, listener)
  ownServers.add(server)
  server.timeout = longestStall
  const connections = limitConnections(server, { most: mostConnections, onFull: onError })
  await listen(server, port, host)
  server.unref()
  server.on('error', (error) => {
    onError(error.message)
  })
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  const shown = isIP(host) === 6 ? `[${host}]` : host
  return {
    port: bound,
    url: `${'setSecureContext' in server ? 'https' : 'http'}://${shown}:${bound}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        connections.destroy()
      }),
  }
}

/** Who is let in, by the file as it stands; everybody where there is none. */
async function load(path: string): Promise<LoadedWebConfig>
async function load(path: string | undefined): Promise<LoadedWebConfig | undefined>
async function load(path: string | undefined): Promise<LoadedWebConfig | undefined> {
  if (path === undefined) return undefined
  const loaded = await loadWebConfig(path)
  const { tls } = loaded.config
  // A certificate that cannot be used must not take the place of one that can.
  if (tls !== undefined) (await import('node:tls')).createSecureContext(contextOf(tls))
  return loaded
}

async function createServer(
  tls: WebTls | undefined,
  listener: RequestListener,
): Promise<Server | HttpsServer> {
  if (tls === undefined) return (await import('node:http')).createServer(limits, listener)
  return (await import('node:https')).createServer(
    { ...limits, handshakeTimeout: limits.headersTimeout, ...contextOf(tls) },
    listener,
  )
}

function contextOf(
  tls: WebTls,
): SecureContextOptions & { requestCert: boolean; rejectUnauthorized: boolean } {
  return {
    cert: readFileSync(tls.certFile),
    key: readFileSync(tls.keyFile),
    ...(tls.clientCaFile === undefined ? {} : { ca: readFileSync(tls.clientCaFile) }),
    minVersion: tls.minVersion,
    requestCert: tls.clientAuth !== 'none',
    rejectUnauthorized: tls.clientAuth === 'require',
  }
}

function listen(server: Server | HttpsServer, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // Workers of a cluster would else share the port, and each scrape would show another's run.
    server.listen({ port, host, exclusive: true }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

const senderOf = ({ headers, socket }: IncomingMessage): Sender => ({
  header: headers.authorization,
  address: socket.remoteAddress ?? '',
})

function setHeaders(response: ServerResponse, config: WebConfig | undefined): void {
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
  for (const [name, value] of Object.entries(config?.headers ?? {})) response.setHeader(name, value)
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
  response.end(`${message}\n`)
}

/**
 * Whether the `Host` of a request is this one. Addresses are: nobody can point the name of a web page at one. Of names, `localhost` and the
 * one that was listened on are; where all interfaces are listened on, any name may be this machine's, and passwords have to guard it.
 */
function isForUs(header: string | undefined, host: string): boolean {
  if (header === undefined) return true
  const name = header
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
  if (isIP(name) !== 0 || name === 'localhost' || name === host.toLowerCase()) return true
  return host === '0.0.0.0' || host === '::'
}
