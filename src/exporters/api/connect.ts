import { createCodecarbonApi } from '../../codecarbon-api/codecarbon-api.ts'
import { keepConnection, type Fetch } from '../../http/http-request.ts'
import type { Secret } from '../../http/secret.ts'
import { watchClock } from './clock-skew.ts'
import { createCourier, type Courier, type CourierParts } from './courier.ts'

/** What a connection is made with. */
export interface ConnectParts extends Omit<CourierParts, 'api'> {
  readonly apiKey: Secret | undefined
  /** @default a connection that is kept between requests */
  readonly fetch?: Fetch | undefined
  /** Told once where the clocks of the server and this machine differ by minutes. */
  readonly onSkew: (message: string) => void
}

/** A courier, and the connection that it sends over. */
export interface Connection {
  readonly courier: Courier
  /** Name of the server, for messages. */
  readonly server: string
  /** Ends both. */
  close(): void
}

export function connect({ apiKey, fetch, onSkew, ...parts }: ConnectParts): Connection {
  const kept = keepConnection()
  const { endpoint, clock } = parts
  const watched = watchClock(fetch ?? kept.fetch, clock, (words) => {
    onSkew(
      `the clock of this machine ${words} ${api.server}, and slices are shown at the time that it tells: set it right`,
    )
  })
  const api = createCodecarbonApi({ endpoint, apiKey, clock, fetch: watched })
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
