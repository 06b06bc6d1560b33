// One worker of bench/bullmq.js in a process of its own, since what one variant turns on in Node.js stays on: node worker.js VARIANT PORT JOBS
import { AsyncLocalStorage } from 'node:async_hooks'
import * as bullmq from 'bullmq'
import { EmissionsTracker } from 'codecarbon'
import { carbonTelemetry } from 'codecarbon/bullmq'
import { bullmqHook } from '../../build/integrations/bullmq/hook.js'

const [, , variant = 'bare', port, jobs] = process.argv
const jobCount = Number(jobs)
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null }
const options = { connection, concurrency: 20, autorun: false }
const noJob = async () => null

const tracker =
  variant === 'hook' || variant === 'telemetry'
    ? new EmissionsTracker({ saveToFile: false, logLevel: 'error', countryIsoCode: 'FRA' }).start()
    : undefined
/** @type {Record<symbol, unknown>} */
const holder = globalThis
holder[Symbol.for('codecarbon.process-scopes')] = tracker

const nothing = () => undefined
const span = {
  setSpanOnContext: (/** @type {unknown} */ context) => context,
  setAttribute: nothing,
  setAttributes: nothing,
  addEvent: nothing,
  recordException: nothing,
  end: nothing,
}
/** Telemetry that does nothing: what BullMQ itself takes for it. @type {import('codecarbon/bullmq').Telemetry} */
const emptyTelemetry = {
  tracer: { startSpan: () => span },
  contextManager: {
    with: (_context, fn) => /** @type {any} */ (fn)(),
    active: nothing,
    root: nothing,
    getMetadata: () => '',
    fromMetadata: nothing,
  },
}

function makeWorker() {
  switch (variant) {
    case 'hook': {
      const { Worker } = /** @type {typeof bullmq} */ (
        bullmqHook.install(bullmq, { name: 'bullmq', version: undefined })
      )
      return new Worker('bench', noJob, options)
    }
    case 'context': {
      const storage = new AsyncLocalStorage()
      return new bullmq.Worker('bench', () => storage.run(span, noJob), options)
    }
    case 'telemetry':
      return new bullmq.Worker('bench', noJob, { ...options, telemetry: carbonTelemetry() })
    case 'empty':
      return new bullmq.Worker('bench', noJob, { ...options, telemetry: emptyTelemetry })
    default:
      return new bullmq.Worker('bench', noJob, options)
  }
}

const queue = new bullmq.Queue('bench', { connection })
const job = { name: 'nothing', data: {}, opts: { removeOnComplete: true } }
const warmUp = Math.floor(jobCount / 2)
await queue.addBulk(Array.from({ length: warmUp + jobCount }, () => job))
const worker = makeWorker()
await worker.waitUntilReady()
let completed = 0
let begin = 0
let cpuBegin = process.cpuUsage()
const all = new Promise((resolve) => {
  worker.on('completed', () => {
    completed += 1
    if (completed === warmUp) {
      begin = performance.now()
      cpuBegin = process.cpuUsage()
    }
    if (completed === warmUp + jobCount) resolve(undefined)
  })
})
void worker.run()
await all
const took = performance.now() - begin
const { user, system } = process.cpuUsage(cpuBegin)
console.log(JSON.stringify({ rate: (jobCount * 1000) / took, cpu: (user + system) / jobCount }))
await worker.close()
await queue.close()
await tracker?.stop()
