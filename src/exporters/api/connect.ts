import { createCodecarbonApi } from '../../codecarbon-api/codecarbon-api.ts'
import { keepConnection, type Fetch } from '../../http/http-request.ts'
import type { Secret } from '../../http/secret.ts'
import { createCourier, type Courier, type CourierParts } from './courier.ts'

/** What a connection is made with. */
export interface ConnectParts extends Omit<CourierParts, 'api'> {
  readonly apiKey: Secret | undefined
  /** @default a connection that is kept between requests */
  readonly fetch?: Fetch | undefined
}

/** A courier, and the connection that it sends over. */
export interface Connection {
  readonly courier: Courier
  /** Name of the server, for messages. */
  readonly server: string
  /** Ends both. */
  close(): void
}

export function connect({ apiKey, fetch, ...parts }: ConnectParts): Connection {
  const kept = keepConnection()
  const { endpoint, clock } = parts
  const api = createCodecarbonApi({ endpoint, apiKey, clock, fetch: fetch ?? kept.fetch })
  const courier = createCourier({ ...parts, api })
  return {
    courier,
    server: api.server,
    close() {
      courier.stop()
      kept.close()
    },
  }
}
