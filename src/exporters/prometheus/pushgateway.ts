import type { Clock } from '../../core/clock.ts'
import type { TaskEmissionsData } from '../../core/emissions-data.ts'
import type { Exporter, Report, RunView } from '../../core/exporter.ts'
import type { Fetch } from '../../http/http-request.ts'
import { createDelivery } from '../delivery.ts'
import type { Credentials, ServiceAddress } from '../service-address.ts'
import { parsePushAddress } from './push-address.ts'
import { doEach } from '../do-each.ts'
import { endedScope, endedTask } from '../ended-task.ts'
import { createTextMetrics, textContentType } from './text-metrics.ts'

/** Options of {@link createPushgateway}. */
export interface PushgatewayOptions {
  /** `localhost:9091`; may hold user name and password, and the path of a group of its own. */
  readonly url: string
  /** Takes a label of the group, besides its job; of a text that those have in common that push to the same place. */
  readonly takeInstance: (of: string) => Instance
  /** Where none stand in the address. */
  readonly credentials?: Credentials | undefined
  /** Whether the group is deleted at the end. */
  readonly isDeletedAtEnd: boolean
  /** Whether metrics have the names of CodeCarbon for Python, too. @default false */
  readonly hasCompatNames?: boolean
  /** Labels of scopes that become labels of metrics. @default [] */
  readonly scopeLabels?: readonly string[] | undefined
  readonly fetch: Fetch
  readonly clock: Clock
}

/** The label of a group that nobody else pushes to at the time, or each would overwrite and delete what the other pushed. */
export interface Instance {
  readonly name: string
  /** Called when the group is not pushed to any more. */
  release(): void
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
  const { takeInstance, credentials, isDeletedAtEnd, hasCompatNames = false, fetch, clock } = options
  const addressFor = (instance: string): ServiceAddress =>
    parsePushAddress(options.url, { job: 'codecarbon', grouping: { instance } }, credentials)
  const instance = takeInstance(addressFor('').url.href)
  const { url, headers } = addressFor(instance.name)
  const delivery = createDelivery({
    service: `the Pushgateway at ${url.host}`,
    credentials: 'PROMETHEUS_USERNAME and PROMETHEUS_PASSWORD',
    addressOption: 'prometheus_url',
    fetch,
    clock,
    timeoutMs,
    lastChanceMs,
  })
  const metrics = createTextMetrics(options.scopeLabels)
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
    onScopes(ended) {
      doEach(ended, (record) => {
        metrics.add(endedScope(record))
      })
    },
    onTick(took) {
      metrics.addTick(took)
    },
    async export(report: Report) {
      if (closed) return
      const { reason, tasks } = report
      for (const task of tasks) {
        if (!counted.has(task)) metrics.add(endedTask(task))
        counted.add(task)
      }
      if (reason === 'live' || reason === 'flush' || reason === 'stop') await push(reason, report)
    },
    async close() {
      if (closed) return
      closed = true
      try {
        if (isLastTaken && isDeletedAtEnd) {
          await delivery.send({ url: url.href, method: 'DELETE', headers }, 'flush')
        }
      } finally {
        // Not before, or what the next one pushes would be deleted.
        instance.release()
      }
    },
  }
}
