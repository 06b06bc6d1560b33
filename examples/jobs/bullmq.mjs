// Works on a queue of BullMQ, and tells the energy of each job: in its log, and at the end of all of one name.
//
//   npm install bullmq ioredis
//   REDIS_URL=redis://127.0.0.1:6379 node examples/jobs/bullmq.mjs
import { Queue, QueueEvents, Worker } from 'bullmq'
import { EmissionsTracker } from 'codecarbon'
import { withCarbon } from 'codecarbon/bullmq'

const { REDIS_URL } = process.env
if (REDIS_URL === undefined) {
  console.error(
    'Set REDIS_URL to the address of a Redis, for example redis://127.0.0.1:6379 (apt install redis-server, or docker run -p 6379:6379 redis)',
  )
  process.exit(1)
}

const connection = { url: REDIS_URL, maxRetriesPerRequest: null }
const name = `codecarbon-example-${process.pid}`
const tracker = new EmissionsTracker({
  projectName: 'jobs',
  logLevel: 'warning',
  measurePowerSecs: 1,
}).start()
/** @type {Map<string, { jobs: number, joules: number, grams: number }>} */
const used = new Map()

const worker = new Worker(
  name,
  withCarbon(
    async (job) => {
      // Both kinds of job are CPU time alone; the second kind fails at its first attempt.
      const until = performance.now() + job.data.ms
      while (performance.now() < until) await new Promise(setImmediate)
      if (job.name === 'report' && job.attemptsMade === 0) throw new Error('the first attempt fails')
    },
    {
      tracker,
      log: true,
      onRecord: ({ name, outcome, energyJoules, emissionsGrams }) => {
        const key = `${name} ${outcome}`
        const { jobs, joules, grams } = used.get(key) ?? { jobs: 0, joules: 0, grams: 0 }
        used.set(key, {
          jobs: jobs + 1,
          joules: joules + (energyJoules ?? 0),
          grams: grams + (emissionsGrams ?? 0),
        })
      },
    },
  ),
  { connection, concurrency: 2 },
)
const queue = new Queue(name, { connection })
const events = new QueueEvents(name, { connection })
await events.waitUntilReady()

const jobs = await queue.addBulk([
  ...Array.from({ length: 4 }, () => ({ name: 'thumbnail', data: { ms: 100 } })),
  ...Array.from({ length: 2 }, () => ({ name: 'report', data: { ms: 400 }, opts: { attempts: 2 } })),
])
await Promise.all(jobs.map((job) => job.waitUntilFinished(events)))
await worker.close()
await tracker.stop()

const { logs } = await queue.getJobLogs(jobs.at(-1)?.id ?? '')
console.log(
  `The log of the last job:\n  ${logs.join('\n  ') || '(the worker was closed before its figures were known)'}`,
)
for (const [key, { jobs, joules, grams }] of used)
  console.log(
    `${key.padEnd(20)}  ${jobs} attempts  ${joules.toFixed(2)} J  ${(grams * 1000).toFixed(3)} mg CO2eq`,
  )

await queue.obliterate({ force: true })
await events.close()
await queue.close()
