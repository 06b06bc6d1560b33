import { DelayedError, RateLimitError, WaitingChildrenError, WaitingError, Worker, type Job } from 'bullmq'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { currentScope, type ScopeRecord } from '../../../src/index.ts'
import { withCarbon } from '../../../src/integrations/bullmq/bullmq.ts'
import { heardWarnings } from '../../fixtures/heard-warnings.ts'
import { recordingScopes } from '../../fixtures/recording-scopes.ts'

/** A job of a worker in this process. */
function jobOf(name = 'resize'): Job & { readonly rows: string[] } {
  const rows: string[] = []
  const job = {
    id: '1',
    name,
    queueName: 'images',
    attemptsStarted: 2,
    rows,
    log: async (row: string) => rows.push(row),
    moveToCompleted: () => undefined,
  }
  return job as unknown as Job & { rows: string[] }
}

describe('a measured processor', () => {
  it('is a scope with the name of the job, its queue and its outcome', async () => {
    const tracker = recordingScopes()
    const processor = withCarbon(async (job: Job) => `${currentScope()?.name} ${job.id}`, { tracker })
    expect(await processor(jobOf())).toBe('resize 1')
    expect(tracker.scopes).toMatchObject([
      { name: 'resize', kind: 'job', labels: { queue: 'images' }, outcomes: ['completed'] },
    ])
    expect(tracker.scopes[0]?.options.parent).toBeNull()
  })

  it('keeps this, the arguments, the name and how many parameters there are, which BullMQ looks at', async () => {
    const tracker = recordingScopes()
    async function render(this: { scale: number }, job: Job, token?: string, signal?: AbortSignal) {
      return [this.scale, job.id, token, signal?.aborted]
    }
    const processor = withCarbon(render, { tracker })
    expect([processor.name, processor.length]).toEqual(['render', 3])
    expect(withCarbon(async (_job: Job) => undefined, { tracker })).toHaveLength(1)
    expect(await processor.call({ scale: 2 }, jobOf(), 'token', AbortSignal.abort())).toEqual([
      2,
      '1',
      'token',
      true,
    ])
  })

  it('fits where BullMQ wants a processor, without a word about types', () => {
    const make = () =>
      new Worker<{ path: string }, number>(
        'images',
        withCarbon(async (job) => job.data.path.length, { tracker: recordingScopes() }),
        { connection: {} },
      )
    expectTypeOf(make).returns.toEqualTypeOf<Worker<{ path: string }, number>>()
    // Where nothing is said about the data, as in most programs.
    const plain = () =>
      new Worker(
        'images',
        withCarbon(async (job) => job.data.path),
        { connection: {} },
      )
    expectTypeOf(plain).returns.toExtend<Worker>()
  })

  it.each([
    [new DelayedError(), 'delayed'],
    [new WaitingError(), 'waiting'],
    [new WaitingChildrenError(), 'waiting-children'],
    [new RateLimitError(), 'rate-limited'],
    [Worker.RateLimitError(), 'rate-limited'],
    [new Error('no such file'), 'failed'],
    ['no such file', 'failed'],
  ])('that throws %s has the outcome %s', async (error, outcome) => {
    const tracker = recordingScopes()
    const processor = withCarbon(
      async (_job: Job) => {
        throw error
      },
      { tracker },
    )
    await expect(processor(jobOf())).rejects.toBe(error)
    expect(tracker.scopes[0]?.outcomes).toEqual([outcome])
  })

  it('that answers or throws at once does so still', () => {
    const tracker = recordingScopes()
    expect(withCarbon((_job: Job) => 5, { tracker })(jobOf())).toBe(5)
    const failing = withCarbon(
      (_job: Job) => {
        throw new Error('at once')
      },
      { tracker },
    )
    expect(() => failing(jobOf())).toThrow('at once')
    expect(tracker.scopes.map(({ outcomes }) => outcomes)).toEqual([['completed'], ['failed']])
  })

  it('has a line in the log of the job where that is wanted, and tells its record', async () => {
    const records: [ScopeRecord, Job][] = []
    const job = jobOf()
    const processor = withCarbon(async (_job: Job) => undefined, {
      tracker: recordingScopes(),
      log: true,
      onRecord: (...both) => void records.push(both),
    })
    await processor(job)
    await new Promise(setImmediate)
    expect(job.rows).toEqual(['CodeCarbon: attempt 2 completed, 1.00 J, 10.0 mg CO2eq (shared)'])
    expect(records).toMatchObject([[{ name: 'resize', energyJoules: 1 }, { attemptsStarted: 2 }]])
  })

  it('does not mind a job whose log is gone, and tells once of a listener that fails', async () => {
    const warnings = heardWarnings()
    const job = Object.assign(jobOf(), { log: () => Promise.reject(new Error('Missing key for job 1')) })
    const processor = withCarbon(async (_job: Job) => 'done', {
      tracker: recordingScopes(),
      log: true,
      onRecord: () => {
        throw new Error('full disk')
      },
    })
    expect([await processor(job), await processor(job)]).toEqual(['done', 'done'])
    await new Promise(setImmediate)
    expect(warnings).toEqual(['codecarbon/bullmq: what resize has used could not be told: full disk'])
  })

  it('of a job that runs twice, as one that stalled does, is two scopes', async () => {
    const tracker = recordingScopes()
    const ends: (() => void)[] = []
    const processor = withCarbon((_job: Job) => new Promise<void>((resolve) => void ends.push(resolve)), {
      tracker,
    })
    const [first, second] = [processor(jobOf()), processor(jobOf())]
    ends[1]?.()
    await second
    expect(tracker.scopes.map(({ outcomes }) => outcomes.length)).toEqual([0, 1])
    ends[0]?.()
    await first
    expect(tracker.scopes.map(({ outcomes }) => outcomes)).toEqual([['completed'], ['completed']])
  })

  it.each([
    [
      ['./processor.js'],
      'withCarbon: expected a processor function, got the file of a sandboxed processor; wrap the function in that file',
    ],
    [[5], 'withCarbon: expected a processor function, got number'],
    [[() => 1, null], 'withCarbon: expected options behind the processor, got null'],
    [[() => 1, { log: 'yes' }], 'option log: expected true or false, got string'],
    [[() => 1, { onRecord: true }], 'option onRecord: expected a function, got boolean'],
    [[() => 1, { tracker: 'mine' }], 'option tracker: expected an EmissionsTracker'],
  ])('refuses %j', (given, message) => {
    expect(() => withCarbon(...(given as unknown as Parameters<typeof withCarbon>))).toThrow(message)
  })
})
