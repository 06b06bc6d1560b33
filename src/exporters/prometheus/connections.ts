import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'

/** The open connections of a server. */
export interface Connections {
  /** Whether this request may be answered; its connection is cut off where it may not. */
  mayAnswer(request: IncomingMessage, response: ServerResponse): boolean
  /** Cuts off all of them, also those that have not got as far as a request, which the server does not know. */
  destroy(): void
}

/** Options of {@link limitConnections}. */
export interface ConnectionsOptions {
  readonly most: number
  /** Told once for each flood. */
  readonly onFull: (message: string) => void
}

interface Connection {
  readonly socket: Socket
  readonly address: string
  hasAsked: boolean
  isAnswered: boolean
}

/**
 * Keeps the connections of a server to a number. Where all are there, a new one takes the place of one that has sent no request, or else of one that
 * waits for nothing; of these it is the oldest from the address that has most of them. So whoever opens connections and says nothing keeps no
 * scraper out. None keeps the process alive.
 */
export function limitConnections(
  server: Server | HttpsServer,
  { most, onFull }: ConnectionsOptions,
): Connections {
  /** In the order in which they came. */
  const open = new Map<string, Connection>()
  let isFull = false

  function makeRoom(): void {
    if (!isFull)
      onFull(`${most} connections are open: the oldest that asks for nothing gives way to each new one`)
    isFull = true
    const [key, idle] =
      oldestOfBusiest(open, ({ hasAsked }) => !hasAsked) ??
      oldestOfBusiest(open, ({ isAnswered }) => !isAnswered) ??
      []
    if (key === undefined) return
    open.delete(key)
    idle?.socket.destroy()
  }

  server.on('connection', (socket: Socket) => {
    socket.unref()
    if (open.size >= most) makeRoom()
    const key = keyOf(socket)
    // Where all are being answered, the new one has to ask again.
    if (key === undefined || open.size >= most) {
      socket.destroy()
      return
    }
    const { remoteAddress: address = '' } = socket
    open.set(key, { socket, address, hasAsked: false, isAnswered: false })
    socket.once('close', () => {
      if (open.get(key)?.socket === socket) open.delete(key)
      if (open.size < most / 2) isFull = false
    })
  })

  return {
    mayAnswer({ socket }, response) {
      const connection = open.get(keyOf(socket) ?? '')
      // No scraper sends a request before it has the answer to the last one; thousands in one packet would be answered at the program's cost.
      if (connection === undefined || connection.isAnswered) {
        socket.destroy()
        return false
      }
      connection.hasAsked = true
      connection.isAnswered = true
      response.once('close', () => {
        connection.isAnswered = false
      })
      return true
    },
    destroy() {
      for (const { socket } of open.values()) socket.destroy()
    },
  }
}

function oldestOfBusiest(
  open: ReadonlyMap<string, Connection>,
  isIdle: (connection: Connection) => boolean,
): [key: string, connection: Connection] | undefined {
  const idle = [...open].filter(([, connection]) => isIdle(connection))
  const counts = new Map<string, number>()
  for (const [, { address }] of idle) counts.set(address, (counts.get(address) ?? 0) + 1)
  const most = Math.max(...counts.values())
  return idle.find(([, { address }]) => counts.get(address) === most)
}

/** The same for a connection and for TLS on top of it, which are two objects; `undefined` for one that is closed. */
const keyOf = ({ remoteAddress, remotePort }: Socket): string | undefined =>
  remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort}`
