import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** A server on loopback until the test is over. */
export interface Served {
  readonly url: string
  readonly port: number
  readonly server: Server
}

export async function serve(listener: RequestListener): Promise<Served> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, server }
}

/** Status and text of an answer. */
export async function ask(url: string, init?: RequestInit): Promise<string> {
  const response = await fetch(url, init)
  return `${response.status} ${await response.text()}`
}
