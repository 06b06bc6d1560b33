import type { Clock } from '../core/clock.ts'
import type { Exporter, Report } from '../core/exporter.ts'
import type { Fetch } from '../http/http-request.ts'
import { createDelivery } from './delivery.ts'
import { toFlatRecord } from './record.ts'
import { parseServiceAddress } from './service-address.ts'

/** Options of {@link createEmissionsEndpoint}. */
export interface EmissionsEndpointOptions {
  /** May hold user name and password. */
  readonly url: string
  readonly fetch: Fetch
  readonly clock: Clock
}

/** Somebody else's service may take its time; but a run waits no longer than 5 s for an output. */
const patienceMs = 4000

/**
 * Posts the record of the run so far as JSON at each flush and at the end, under the names of the columns of the CSV file. A record whose answer got lost
 * is sent again, so that it may come twice: `run_id` and `timestamp` tell. Tasks are not sent. A program that ends by itself without a stop sends the record before; at any
 * other end it cannot wait for a connection.
 */
export function createEmissionsEndpoint({ url: text, fetch, clock }: EmissionsEndpointOptions): Exporter {
  const { url, headers } = parseServiceAddress(text)
  const delivery = createDelivery({
    service: `the service at ${url.host}`,
    credentials: 'user name and password in emissions_endpoint',
    addressOption: 'emissions_endpoint',
    fetch,
    clock,
    timeoutMs: patienceMs,
    lastChanceMs: patienceMs,
  })
  let closed = false

  async function post({ total }: Report, urgency: 'flush' | 'stop'): Promise<void> {
    const request = {
      url: url.href,
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(toFlatRecord(total)),
    } as const
    await delivery.send(request, urgency)
  }

  return {
    name: 'emissions_endpoint',
    async export(report) {
      const { reason } = report
      if (!closed && (reason === 'flush' || reason === 'stop')) await post(report, reason)
    },
    close() {
      closed = true
    },
  }
}
