import type { Clock } from '../../core/clock.ts'
import type { TaskEmissionsData } from '../../core/emissions-data.ts'
import type { Exporter, Report, RunView } from '../../core/exporter.ts'
import type { Fetch } from '../../http/http-request.ts'
import { createDelivery } from '../delivery.ts'
import type { Credentials } from '../service-address.ts'
import { parsePushAddress } from './push-address.ts'
import { createTextMetrics, textContentType } from './text-metrics.ts'

/** Options of {@link createPushgateway}. */
export interface PushgatewayOptions {
  /** `localhost:9091`; may hold user name and password, and the path of a group of its own. */
  readonly url: string
  /** Label of the group, besides its job: that of this machine, so that no two of them overwrite each other. */
  readonly instance: string
  /** Where none stand in the address. */
  readonly credentials?: Credentials | undefined
  /** Whether the group is deleted at the end. */
  readonly isDeletedAtEnd: boolean
  /** Whether metrics have the names of CodeCarbon for Python, too. @default false */
  readonly hasCompatNames?: boolean
  readonly fetch: Fetch
  readonly clock: Clock
}

/** A gateway answers in milliseconds. A live push that hangs leaves the last one time before the run goes on without it, after 5 s. */
const timeoutMs = 2000
const lastChanceMs = 2500

/**
 * Pushes the metrics to a Pushgateway at each report, whole and in the place of the group's former ones (PUT), and deletes the group at the
 * end, as CodeCarbon for Python does: the gateway itself never forgets. It is deleted only when the last push was taken. A program that ends
 * by itself without a stop pushes once more; at any other end it cannot wait for a connection. Both leave the group as it was pushed last.
 */
export function createPushgateway(options: PushgatewayOptions): Exporter {
  const { instance, credentials, isDeletedAtEnd, hasCompatNames = false, fetch, clock } = options
  const { url, headers } = parsePushAddress(
    options.url,
    { job: 'codecarbon', grouping: { instance } },
    credentials,
  )
  const delivery = createDelivery({
    service: `the Pushgateway at ${url.host}`,
    credentials: 'PROMETHEUS_USERNAME and PROMETHEUS_PASSWORD',
    addressOption: 'prometheus_url',
    fetch,
    clock,
    timeoutMs,
    lastChanceMs,
  })
  const metrics = createTextMetrics()
  const counted = new WeakSet<TaskEmissionsData>()
  let look: (() => RunView) | undefined
  let isLastTaken = false
  let closed = false

  async function push(urgency: 'live' | 'flush' | 'stop', report: Report): Promise<void> {
    if (look === undefined) return
    const body = metrics.render(look(), hasCompatNames ? report : undefined)
    const request = {
      url: url.href,
      method: 'PUT',
      headers: { ...headers, 'content-type': textContentType },
      body,
    } as const
    await delivery.send(request, urgency)
    isLastTaken = urgency === 'stop'
  }

  return {
    name: 'prometheus',
    isShared: true,
    open(lookAt) {
      look = lookAt
    },
    onTick(took) {
      metrics.addTick(took)
    },
    async export(report: Report) {
      if (closed) return
      const { reason, tasks } = report
      for (const task of tasks) {
        if (!counted.has(task)) metrics.add(task)
        counted.add(task)
      }
      if (reason === 'live' || reason === 'flush' || reason === 'stop') await push(reason, report)
    },
    async close() {
      if (closed) return
      closed = true
      if (isLastTaken && isDeletedAtEnd) {
        await delivery.send({ url: url.href, method: 'DELETE', headers }, 'flush')
      }
    },
  }
}
