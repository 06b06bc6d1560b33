import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { onTestFinished, vi } from 'vitest'

/** A request that a collector was sent. */
export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Without its compression. */
  readonly body: Buffer
}

/** A collector that keeps what it is sent. */
export interface Collector {
  readonly url: string
  readonly port: number
  readonly received: readonly Received[]
}

/** Starts one on this machine, and lets the exporters of OpenTelemetry know. It is gone when the test has finished. */
export async function startCollector(
  answer: (response: ServerResponse) => void = (response) => response.end(),
  port = 0,
): Promise<Collector> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { url: path = '', headers } = request
      const bytes = Buffer.concat(chunks)
      received.push({
        path,
        headers,
        body: headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes,
      })
      answer(response)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve)
  })
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port: taken } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${taken}`
  setVariables({ OTEL_EXPORTER_OTLP_ENDPOINT: url })
  return { url, port: taken, received }
}

/** Sets variables until the test has finished. */
export function setVariables(variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
}
