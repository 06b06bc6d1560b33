import { Agent as HttpAgent, type AgentOptions } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Certificates of a connection by TLS. */
export interface Certificates {
  readonly ca?: Buffer | undefined
  readonly cert?: Buffer | undefined
  readonly key?: Buffer | undefined
}

/** What the agent is to do. */
export interface OtlpAgentOptions {
  readonly certificates: Certificates
  /** For the making of a connection. */
  readonly connectTimeoutMs: number
}

/**
 * Connections to a collector that hold nobody up:
 * - None keeps the program alive. A run that wants its last figures sent waits for them itself.
 * - One that cannot be made is a failure at once. OpenTelemetry's exporters would try again, up to the timeout of the request; but counters are
 *   totals, so that the next export brings everything, and at the end of a program nobody wants to wait for what is not there.
 * - One that is not answered is given up in time. The timeout of a request of Node begins when its connection is made; until then the system decides,
 *   which is two minutes on Linux.
 */
export async function createOtlpAgent(
  protocol: string,
  { certificates, connectTimeoutMs }: OtlpAgentOptions,
): Promise<HttpAgent> {
  const options: AgentOptions = { keepAlive: true }
  const agent =
    protocol === 'http:'
      ? new HttpAgent(options)
      : new (await import('node:https')).Agent({ ...options, ...certificates })
  const connect = agent.createConnection.bind(agent)
  agent.createConnection = (target, done) => {
    const socket = connect(target, done)
    if (socket !== null && socket !== undefined) watchConnecting(socket, connectTimeoutMs)
    return socket
  }
  const reuse = agent.reuseSocket.bind(agent)
  agent.reuseSocket = (socket, request) => {
    reuse(socket, request)
    letGo(socket)
  }
  return agent
}

const letGo = (socket: Duplex): void => {
  ;(socket as Socket).unref()
}

function watchConnecting(socket: Duplex, connectTimeoutMs: number): void {
  letGo(socket)
  const timer = setTimeout(() => {
    socket.destroy(new Error(`no connection within ${connectTimeoutMs / 1000} s`))
  }, connectTimeoutMs).unref()
  const tellAsFinal = (error: NodeJS.ErrnoException): void => {
    clearTimeout(timer)
    const { code, message } = error
    error.message = message === '' ? `connect ${code}` : message
    // By its code the exporter knows what may be tried again.
    delete error.code
  }
  socket.prependOnceListener('error', tellAsFinal)
  socket.once('connect', () => {
    clearTimeout(timer)
    socket.off('error', tellAsFinal)
    // Where several addresses were tried, this is another handle than at first.
    letGo(socket)
  })
  socket.once('close', () => {
    clearTimeout(timer)
  })
}
