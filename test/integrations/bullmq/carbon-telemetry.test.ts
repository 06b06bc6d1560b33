import { AsyncLocalStorage } from 'node:async_hooks'
import { trace, type SpanKind, type Telemetry as BullTelemetry, type Worker } from 'bullmq'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { currentScope, type ScopeRecord } from '../../../src/index.ts'
import {
  carbonTelemetry,
  withCarbon,
  type BullJob,
  type Telemetry,
  type TelemetryJobFacts,
} from '../../../src/integrations/bullmq/bullmq.ts'
import { anotherCopy } from '../../fixtures/another-copy.ts'
import { heardWarnings } from '../../fixtures/heard-warnings.ts'
import { recordingScopes } from '../../fixtures/recording-scopes.ts'

const kinds = { internal: 0 as SpanKind, producer: 3 as SpanKind, consumer: 4 as SpanKind }

/** What a worker of BullMQ does with one attempt at a job, by the function that BullMQ itself does it with. */
function processJob(
  telemetry: Telemetry,
  job: { id: string; name: string },
  processor: () => unknown,
  end: 'completed' | 'failed' | 'moved' | 'lost' = 'completed',
): Promise<unknown> {
  return trace(
    telemetry as BullTelemetry,
    kinds.consumer,
    'mails',
    'process',
    'mails',
    async (span) => {
      span?.setAttributes({ 'bullmq.job.id': job.id, 'bullmq.job.name': job.name })
      const result = await Promise.resolve()
        .then(processor)
        .catch(() => undefined)
      if (end === 'lost') span?.recordException('Missing lock for job 1')
      if (end === 'completed' || end === 'failed') {
        span?.addEvent(`job ${end}`)
        span?.setAttributes({ 'bullmq.job.attempts.made': 1 })
      }
      return result
    },
    '{"traceparent":"00-1"}',
  )
}

/** Telemetry that writes down what it is told, and whose contexts are lists of the spans that are open. */
function listedTelemetry(): { telemetry: Telemetry; told: string[]; active: () => readonly string[] } {
  const told: string[] = []
  const storage = new AsyncLocalStorage<readonly string[]>()
  const active = (): readonly string[] => storage.getStore() ?? []
  const telemetry: Telemetry = {
    tracer: {
      startSpan(name, options, context) {
        told.push(`start ${name} of kind ${options?.kind} in [${(context as string[] | undefined)?.join()}]`)
        return {
          setSpanOnContext: (given) => [...(given as string[]), name],
          setAttribute: (key, value) => void told.push(`${key}=${String(value)}`),
          setAttributes: (attributes) => {
            for (const [key, value] of Object.entries(attributes)) told.push(`${key}=${String(value)}`)
          },
          addEvent: (event) => void told.push(`event ${event}`),
          recordException: (exception) => void told.push(`exception ${JSON.stringify(exception)}`),
          end: () => void told.push(`end ${name}`),
        }
      },
    },
    contextManager: {
      with: (context, fn) => storage.run(context as string[], fn as never),
      active,
      getMetadata: (context) => JSON.stringify(context),
      fromMetadata: (_, metadata) => [metadata],
    },
    meter: {
      createCounter: () => ({ add: () => undefined }),
      createGauge: () => ({ record: () => undefined }),
      createHistogram: () => ({ record: () => undefined }),
    },
  }
  return { telemetry, told, active }
}

describe('telemetry', () => {
  it('makes each attempt at a job a scope with its name, its queue and its outcome', async () => {
    const tracker = recordingScopes()
    const telemetry = carbonTelemetry({ tracker })
    const seen = await processJob(telemetry, { id: '1', name: 'welcome' }, () => currentScope()?.name)
    await processJob(telemetry, { id: '2', name: 'invoice' }, () => undefined, 'failed')
    await processJob(telemetry, { id: '2', name: 'invoice' }, () => undefined)
    expect(seen).toBe('welcome')
    expect(currentScope()).toBeUndefined()
    expect(tracker.scopes).toMatchObject([
      { name: 'welcome', kind: 'job', labels: { queue: 'mails' }, outcomes: ['completed'] },
      { name: 'invoice', outcomes: ['failed'], options: { parent: null } },
      { name: 'invoice', outcomes: ['completed'] },
    ])
  })

  it('tells jobs that went on later from those whose end could not be recorded', async () => {
    const tracker = recordingScopes()
    const telemetry = carbonTelemetry({ tracker })
    await processJob(telemetry, { id: '1', name: 'welcome' }, () => undefined, 'moved')
    await processJob(telemetry, { id: '1', name: 'welcome' }, () => undefined, 'lost')
    expect(tracker.scopes.map(({ outcomes }) => outcomes)).toEqual([['moved'], ['error']])
  })

  it('measures nothing but jobs', async () => {
    const tracker = recordingScopes()
    const telemetry = carbonTelemetry({ tracker }) as BullTelemetry
    await trace(telemetry, kinds.producer, 'mails', 'add', 'mails', async () => undefined)
    await trace(telemetry, kinds.internal, 'mails', 'getNextJob', 'mails', async () => undefined)
    expect(tracker.scopes).toEqual([])
  })

  it('keeps loops of a worker out of the job that was running when they began', async () => {
    const tracker = recordingScopes()
    const telemetry = carbonTelemetry({ tracker })
    const { contextManager } = telemetry
    const inLoop = await processJob(telemetry, { id: '1', name: 'welcome' }, () =>
      contextManager.with(contextManager.root?.(), () => [currentScope()]),
    )
    expect(inLoop).toEqual([undefined])
  })

  it('hands over what an attempt has used, and whose it was', async () => {
    const told: [ScopeRecord, TelemetryJobFacts][] = []
    const telemetry = carbonTelemetry({
      tracker: recordingScopes(),
      onRecord: (...both) => void told.push(both),
    })
    await processJob(telemetry, { id: '7', name: 'welcome' }, () => undefined)
    await Promise.resolve()
    expect(told).toMatchObject([
      [
        { name: 'welcome', outcome: 'completed', energyJoules: 1 },
        { id: '7', name: 'welcome', queueName: 'mails', attemptsMade: 1 },
      ],
    ])
  })

  it('has one scope for a job whose processor another copy of this package measures', async () => {
    const tracker = recordingScopes()
    const other = await anotherCopy(() => import('../../../src/integrations/bullmq/bullmq.ts'))
    const job = {
      id: '1',
      name: 'welcome',
      queueName: 'mails',
      data: {},
      attemptsMade: 0,
      log: () => Promise.resolve(),
      moveToCompleted: () => undefined,
    }
    const processor = other.withCarbon((_job: BullJob) => currentScope()?.name, { tracker })
    expect(await processJob(carbonTelemetry({ tracker }), job, () => processor(job))).toBe('welcome')
    expect(tracker.scopes).toMatchObject([{ name: 'welcome', outcomes: ['completed'] }])
  })

  it('has one scope for a job whose processor is measured, too, which says where it was moved', async () => {
    const tracker = recordingScopes()
    const records: ScopeRecord[] = []
    const rows: string[] = []
    const job = {
      id: '1',
      name: 'welcome',
      queueName: 'mails',
      data: {},
      attemptsMade: 0,
      log: async (row: string) => rows.push(row),
      moveToCompleted: () => undefined,
    }
    const processor = withCarbon(
      async (_job: BullJob): Promise<void> => {
        throw Object.assign(new Error('later'), { name: 'DelayedError' })
      },
      { tracker, log: true, onRecord: (record) => void records.push(record) },
    )
    await processJob(carbonTelemetry({ tracker }), job, () => processor(job), 'moved')
    await new Promise(setImmediate)
    expect(tracker.scopes).toMatchObject([{ name: 'welcome', outcomes: ['delayed'] }])
    expect(records).toMatchObject([{ outcome: 'delayed' }])
    expect(rows).toEqual(['CodeCarbon: attempt 1 delayed, 1.00 J, 10.0 mg CO2eq (shared)'])
  })

  it('gives jobs that are called ever differently a hundred names', async () => {
    const tracker = recordingScopes()
    const telemetry = carbonTelemetry({ tracker })
    for (let job = 0; job < 300; job += 1)
      await processJob(telemetry, { id: '1', name: `mail to ${job} ${'x'.repeat(1000)}` }, () => undefined)
    const names = new Set(tracker.scopes.map(({ name }) => name))
    expect(names.size).toBeLessThanOrEqual(101)
    expect(names).toContain('_other')
    expect(Math.max(...[...names].map(({ length }) => length))).toBe(128)
  })
})

describe('telemetry in the place of other telemetry', () => {
  it('tells it all that it would be told, in its own contexts', async () => {
    const alone = listedTelemetry()
    const decorated = listedTelemetry()
    const tracker = recordingScopes()
    const telemetry = carbonTelemetry({ existing: decorated.telemetry, tracker })
    const job = { id: '1', name: 'welcome' }
    const within = [
      await processJob(alone.telemetry, job, alone.active),
      await processJob(telemetry, job, () => decorated.active()),
    ]
    await processJob(alone.telemetry, job, () => undefined, 'lost')
    await processJob(telemetry, job, () => undefined, 'lost')
    expect(decorated.told).toEqual(alone.told)
    expect(within).toEqual([
      ['{"traceparent":"00-1"}', 'process mails'],
      ['{"traceparent":"00-1"}', 'process mails'],
    ])
    expect(tracker.scopes.map(({ outcomes }) => outcomes)).toEqual([['completed'], ['error']])
  })

  it('hands on how jobs are told which trace they are of, and the metrics', async () => {
    const { telemetry: existing } = listedTelemetry()
    const telemetry = carbonTelemetry({ existing, tracker: recordingScopes() })
    const metadata = await trace(
      telemetry as BullTelemetry,
      kinds.producer,
      'mails',
      'add',
      'mails',
      async (_span, destination) => destination,
    )
    expect(metadata).toBe('["add mails"]')
    expect(telemetry.meter).toBe(existing.meter)
    expect('meter' in carbonTelemetry()).toBe(false)
  })

  it('leaves what is told to jobs alone where there is no other', async () => {
    const telemetry = carbonTelemetry({ tracker: recordingScopes() }) as BullTelemetry
    const add = trace(telemetry, kinds.producer, 'mails', 'add', 'mails', async (_span, metadata) => metadata)
    expect(await add).toBe('')
  })

  it('fits where BullMQ wants telemetry, and takes that which fits there', () => {
    expectTypeOf<ReturnType<typeof carbonTelemetry>>().toExtend<BullTelemetry>()
    expectTypeOf<BullTelemetry>().toExtend<Telemetry>()
    expectTypeOf<Worker['opts']['telemetry']>().toExtend<BullTelemetry | undefined>()
  })
})

describe('telemetry that cannot measure', () => {
  it('says so once, and jobs run on', async () => {
    const warnings = heardWarnings()
    let calls = 0
    const tracker = {
      beginScope: () => {
        calls += 1
        throw new Error('no more descriptors')
      },
    }
    const telemetry = carbonTelemetry({ tracker })
    for (let job = 0; job < 9; job += 1)
      expect(await processJob(telemetry, { id: '1', name: 'welcome' }, () => 'sent')).toBe('sent')
    expect(warnings).toEqual([
      'codecarbon/bullmq: no more descriptors',
      'codecarbon/bullmq is no longer measured: that failed 3 times in a row',
    ])
    expect(calls).toBe(3)
  })

  it.each([
    [{ existing: {} }, 'option existing: expected telemetry of BullMQ'],
    [{ tracker: {} }, 'option tracker: expected an EmissionsTracker'],
    [{ onRecord: 1 }, 'option onRecord: expected a function, got number'],
    [null, 'carbonTelemetry: expected options, got null'],
  ])('refuses %j', (options, message) => {
    expect(() => carbonTelemetry(options as never)).toThrow(message)
  })
})
