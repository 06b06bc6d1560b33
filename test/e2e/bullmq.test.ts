import { AsyncLocalStorage } from 'node:async_hooks'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { context, ROOT_CONTEXT, trace, type Context, type ContextManager } from '@opentelemetry/api'
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace'
import * as bullmq from 'bullmq'
import { DelayedError, Queue, QueueEvents, Worker, type Job, type WorkerOptions } from 'bullmq'
import { describe, expect, it, onTestFinished } from 'vitest'
import { currentScope, EmissionsTracker, type ScopeRecord } from '../../src/index.ts'
import { carbonTelemetry, withCarbon, type Telemetry } from '../../src/integrations/bullmq/bullmq.ts'
import { bullmqHook } from '../../src/integrations/bullmq/hook.ts'
import { setProcessScopes } from '../../src/scopes/process-scopes.ts'
import { isInstalled, until } from '../fixtures/programs/prometheus.ts'
import { startRedis, type Redis } from '../fixtures/programs/redis.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'
import { recordingScopes, type RecordingScopes } from '../fixtures/recording-scopes.ts'
import { scopesIn } from '../fixtures/scope-lines.ts'
import { fakeMachine } from '../tracker/fake-machine.ts'

const isRun = isInstalled('redis-server')
if (!isRun) console.log('Skipped: BullMQ. It needs redis-server, of the package redis-server of Debian.')

const packages = process.env['E2E_JOBS']
if (packages === undefined)
  console.log('Skipped: bullmq-otel. Set E2E_JOBS to a folder in which it is installed, as .ci/run does.')

const programs = fileURLToPath(new URL('../fixtures/programs/', import.meta.url))

interface Bench {
  readonly redis: Redis
  readonly queue: Queue
  readonly events: QueueEvents
  work(processor: ConstructorParameters<typeof Worker>[1], options?: Partial<WorkerOptions>): Worker
}

/** A queue on a Redis of its own, closed when the test has finished. */
async function openQueue(WorkerClass: typeof Worker = Worker): Promise<Bench> {
  const redis = await startRedis(temporaryFolder())
  const connection = { ...redis, maxRetriesPerRequest: null }
  const queue = new Queue('images', { connection })
  const events = new QueueEvents('images', { connection })
  await events.waitUntilReady()
  const workers: Worker[] = []
  onTestFinished(async () => {
    for (const worker of workers) await worker.close()
    await events.close()
    await queue.close()
  })
  return {
    redis,
    queue,
    events,
    work(processor, options = {}) {
      const worker = new WorkerClass('images', processor, { connection, ...options })
      workers.push(worker)
      return worker
    },
  }
}

const outcomesOf = ({ scopes }: RecordingScopes): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { name, outcomes } of scopes)
    for (const outcome of outcomes) counts[`${name} ${outcome}`] = (counts[`${name} ${outcome}`] ?? 0) + 1
  return counts
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Sees the scope of its own job in every one of four that run at once, and fails as often as the job says. */
async function resize(job: Job<unknown>): Promise<string> {
  const seen = [currentScope()?.name]
  await pause(5)
  seen.push(currentScope()?.name)
  const { failures } = job.data as { failures: number }
  if (job.attemptsMade < failures) throw new Error('no memory')
  return seen.join()
}

const twenty = Array.from({ length: 20 }, (_, index) => ({
  name: `size ${index % 5}`,
  data: { failures: index % 5 === 0 ? 1 : 0 },
  opts: { attempts: 2 },
}))
const endsOfTwenty = {
  'size 0 failed': 4,
  'size 0 completed': 4,
  'size 1 completed': 4,
  'size 2 completed': 4,
  'size 3 completed': 4,
  'size 4 completed': 4,
}

describe.skipIf(!isRun)('BullMQ on a real Redis', () => {
  it('has a scope for each attempt, by its telemetry', async () => {
    const { queue, events, work } = await openQueue()
    const tracker = recordingScopes()
    work(resize, { concurrency: 4, telemetry: carbonTelemetry({ tracker }) })
    const jobs = await queue.addBulk(twenty)
    const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events)))
    expect(results).toEqual(twenty.map(({ name }) => `${name},${name}`))
    await until(async () => tracker.scopes.every(({ outcomes }) => outcomes.length > 0))
    expect(outcomesOf(tracker)).toEqual(endsOfTwenty)
    expect(new Set(tracker.scopes.map(({ labels }) => labels['queue']))).toEqual(new Set(['images']))
  })

  it('has a scope for each attempt, around the processor, and lines in the logs of jobs', async () => {
    const { queue, events, work } = await openQueue()
    const tracker = recordingScopes()
    work(withCarbon(resize, { tracker, log: true }), { concurrency: 4 })
    const jobs = await queue.addBulk(twenty)
    await Promise.all(jobs.map((job) => job.waitUntilFinished(events)))
    expect(outcomesOf(tracker)).toEqual(endsOfTwenty)
    const first = jobs[0]?.id ?? ''
    await until(async () => (await queue.getJobLogs(first)).count === 2)
    expect((await queue.getJobLogs(first)).logs).toEqual([
      expect.stringMatching(/^CodeCarbon: attempt 1 failed, \d\S* J, .*CO2eq \(shared\)$/),
      expect.stringMatching(/^CodeCarbon: attempt 2 completed, /),
    ])
  })

  it('has one scope for each attempt by both, which tell each other where jobs went', async () => {
    const { queue, events, work } = await openQueue()
    const tracker = recordingScopes()
    const processor = withCarbon(
      async (job: Job, token?: string) => {
        if (job.attemptsStarted > 1) return 'at last'
        await job.moveToDelayed(Date.now() + 100, token)
        throw new DelayedError()
      },
      { tracker },
    )
    work(processor, { telemetry: carbonTelemetry({ tracker }) })
    const job = await queue.add('resize', {})
    expect(await job.waitUntilFinished(events)).toBe('at last')
    await until(async () => tracker.scopes.every(({ outcomes }) => outcomes.length > 0))
    expect(tracker.scopes.map(({ outcomes }) => outcomes)).toEqual([['delayed'], ['completed']])
  })

  it('hands a processor that asks for it the signal that it is cancelled by', async () => {
    const { queue, events, work } = await openQueue()
    const tracker = recordingScopes()
    const worker = work(
      withCarbon(
        (_job: Job, _token?: string, signal?: AbortSignal) =>
          new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => {
              reject(new Error(`told: ${String(signal.reason)}`))
            })
          }),
        { tracker },
      ),
    )
    const active = new Promise<void>((resolve) => worker.once('active', () => resolve()))
    const job = await queue.add('endless', {})
    await active
    await until(async () => worker.cancelJob(job.id ?? '', 'not needed'))
    await expect(job.waitUntilFinished(events)).rejects.toThrow('told: not needed')
    expect(outcomesOf(tracker)).toEqual({ 'endless failed': 1 })
  })

  it('has two scopes for a job that stalled and was taken by another worker', async () => {
    const { queue, events, work } = await openQueue()
    const tracker = recordingScopes()
    const telemetry = carbonTelemetry({ tracker })
    const options = { telemetry, lockDuration: 300, stalledInterval: 300 }
    let letGo = (): void => undefined
    const hung = new Promise<void>((resolve) => {
      letGo = resolve
    })
    // It never tells that it is alive.
    const hanging = work(() => hung, { ...options, skipLockRenewal: true, skipStalledCheck: true })
    hanging.on('error', () => undefined)
    const active = new Promise<void>((resolve) => hanging.once('active', () => resolve()))
    const job = await queue.add('resize', {})
    await active
    work(async () => 'done', options)
    expect(await job.waitUntilFinished(events)).toBe('done')
    letGo()
    await until(async () => tracker.scopes.every(({ outcomes }) => outcomes.length > 0))
    expect(tracker.scopes.map(({ outcomes }) => outcomes)).toEqual([['error'], ['completed']])
  })

  it('adds up to what the machine used', async () => {
    const machine = fakeMachine()
    const tracker = new EmissionsTracker({ ...machine.options, measurePowerSecs: 0.05 }).start()
    const records: ScopeRecord[] = []
    const { queue, events, work } = await openQueue()
    const processor = withCarbon(
      async (_job: Job) => {
        machine.use(10)
        await pause(3)
        machine.use(10)
      },
      { tracker, onRecord: (record) => void records.push(record) },
    )
    work(processor, { concurrency: 4 })
    const jobs = await queue.addBulk(twenty)
    await Promise.all(jobs.map((job) => job.waitUntilFinished(events)))
    await until(async () => records.length === 20)
    await tracker.stop()
    const total = (tracker.finalEmissionsData?.energyConsumed ?? NaN) * 3.6e6
    const outside = Object.values(tracker.unattributed?.energy ?? {}).reduce(
      (sum, { value }) => sum + value,
      0,
    )
    const inside = records.reduce((sum, { energyJoules }) => sum + (energyJoules ?? NaN), 0)
    expect(total).toBeCloseTo(400, 6)
    expect(inside + outside).toBeCloseTo(total, 6)
  })
})

describe.skipIf(!isRun)('a sandboxed processor', () => {
  const preload = ['--import', join(programs, 'job-child.js')]
  const places = [
    [
      'a process',
      (env: NodeJS.ProcessEnv): Partial<WorkerOptions> => ({ workerForkOptions: { execArgv: preload, env } }),
    ],
    [
      'a thread',
      (env: NodeJS.ProcessEnv): Partial<WorkerOptions> => ({
        useWorkerThreads: true,
        workerThreadsOptions: { execArgv: preload, env },
      }),
    ],
  ] as const
  const files = [
    ['measured by its author', 'measured-job-processor.js', Worker],
    [
      'measured by the hook',
      'job-processor.js',
      (bullmqHook.install(bullmq, { name: 'bullmq', version: '6.7.0' }) as typeof bullmq).Worker,
    ],
  ] as const

  it.each(places.flatMap(([place, options]) => files.map((file) => [place, ...file, options] as const)))(
    'in %s, %s, is measured there and there alone',
    async (place, _by, file, WorkerClass, options) => {
      const parent = recordingScopes()
      setProcessScopes(parent)
      onTestFinished(() => {
        setProcessScopes(undefined)
      })
      const { queue, events, work } = await openQueue(WorkerClass)
      const scopesFile = join(temporaryFolder(), 'scopes.jsonl')
      work(join(programs, file), { concurrency: 2, ...options({ ...process.env, SCOPES_FILE: scopesFile }) })
      const jobs = await queue.addBulk([
        { name: 'short', data: { ms: 40 } },
        { name: 'long', data: { ms: 200 } },
        { name: 'failing', data: { ms: 10 } },
      ])
      const ends = await Promise.allSettled(jobs.map((job) => job.waitUntilFinished(events)))
      expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
      const told = scopesIn(scopesFile)
      const byName = Object.fromEntries(told.map((scope) => [scope['name'], scope]))
      expect(told).toHaveLength(3)
      expect(byName).toMatchObject({
        short: { kind: 'job', outcome: 'completed', labels: { queue: 'images' } },
        long: { outcome: 'completed' },
        failing: { outcome: 'failed' },
      })
      expect(new Set(told.map(({ isMainThread }) => isMainThread))).toEqual(new Set([place === 'a process']))
      expect(byName['long']?.['cpuSeconds']).toBeGreaterThanOrEqual(0.2)
      expect(parent.scopes).toEqual([])
    },
  )

  it('says what it misses where its process knows no tracker', async () => {
    const { queue, events, work } = await openQueue()
    const worker = work(join(programs, 'measured-job-processor.js'), {
      workerForkOptions: { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
    })
    let printed = ''
    const write = process.stderr.write.bind(process.stderr)
    process.stderr.write = (text: string | Uint8Array) => {
      printed += String(text)
      return true
    }
    onTestFinished(() => {
      process.stderr.write = write
    })
    const job = await queue.add('short', { ms: 1 })
    expect(await job.waitUntilFinished(events)).toBe(1)
    await worker.close()
    expect(printed).toContain('start that one with node --import codecarbon/register')
  })
})

/** What `@opentelemetry/context-async-hooks` does, in short. */
function asyncContexts(): ContextManager {
  const storage = new AsyncLocalStorage<Context>()
  const manager: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (given, fn, self, ...args) => storage.run(given, () => fn.apply(self as never, args)),
    bind: (_context, target) => target,
    enable: () => manager,
    disable: () => manager,
  }
  return manager
}

describe.skipIf(!isRun || packages === undefined)('bullmq-otel behind the telemetry', () => {
  it('makes the spans that it makes alone, and jobs are measured', async () => {
    const exporter = new InMemorySpanExporter()
    trace.setGlobalTracerProvider(
      new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
    )
    context.setGlobalContextManager(asyncContexts())
    onTestFinished(() => {
      trace.disable()
      context.disable()
    })
    const { BullMQOtel } = createRequire(join(packages ?? '', 'package.json'))('bullmq-otel') as {
      BullMQOtel: new (options: object) => Telemetry
    }
    const make = (): Telemetry => new BullMQOtel({ tracerName: 'jobs' })
    const tracker = recordingScopes()
    const { redis, events, work } = await openQueue()
    const queue = new Queue('images', { connection: redis, telemetry: make() as never })
    onTestFinished(() => queue.close())
    const spans: Record<string, string[]> = {}
    for (const [name, telemetry] of Object.entries({
      alone: make(),
      decorated: carbonTelemetry({ existing: make(), tracker }),
    })) {
      exporter.reset()
      const worker = work(async () => trace.getActiveSpan()?.spanContext().spanId, { telemetry })
      const job = await queue.add('resize', {})
      const active: unknown = await job.waitUntilFinished(events)
      await worker.close()
      const made = exporter.getFinishedSpans()
      const [processing, adding] = ['process images', 'add images'].map((wanted) =>
        made.find((span: ReadableSpan) => span.name === wanted),
      )
      expect(processing?.spanContext().spanId).toBe(active)
      expect(processing?.parentSpanContext?.spanId).toBe(adding?.spanContext().spanId)
      spans[name] = [...new Set(made.map((span: ReadableSpan) => `${span.name} ${span.kind}`))].toSorted()
    }
    expect(spans['decorated']).toEqual(spans['alone'])
    expect(tracker.scopes).toMatchObject([{ name: 'resize', outcomes: ['completed'] }])
  })
})
