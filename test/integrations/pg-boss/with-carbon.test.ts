import { describe, expect, it, onTestFinished } from 'vitest'
import { currentScope, type ScopeRecord } from '../../../src/index.ts'
import { pgBossHook } from '../../../src/integrations/pg-boss/hook.ts'
import { withCarbon, type PgBossJob } from '../../../src/integrations/pg-boss/pg-boss.ts'
import { setProcessScopes } from '../../../src/scopes/process-scopes.ts'
import { recordingScopes } from '../../fixtures/recording-scopes.ts'

const jobs = (count: number, signal?: AbortSignal): PgBossJob[] =>
  Array.from({ length: count }, (_, index) => ({ id: `job ${index}`, name: 'mails', signal }))

describe('a measured handler of pg-boss', () => {
  it('is a scope with the name of the queue', async () => {
    const tracker = recordingScopes()
    const handler = withCarbon(async ([job]: PgBossJob[]) => `${currentScope()?.name} ${job?.id}`, {
      tracker,
    })
    expect(await handler(jobs(1))).toBe('mails job 0')
    expect(tracker.scopes).toMatchObject([
      { name: 'mails', kind: 'job', labels: { queue: 'mails' }, outcomes: ['completed'] },
    ])
    expect(tracker.scopes[0]?.options.parent).toBeNull()
  })

  it('is one scope for a batch, which says that it was one', async () => {
    const tracker = recordingScopes()
    const told: [ScopeRecord, readonly PgBossJob[]][] = []
    const handler = withCarbon(async (batch: PgBossJob[]) => batch.length, {
      tracker,
      onRecord: (...both) => void told.push(both),
    })
    expect(await handler(jobs(3))).toBe(3)
    await Promise.resolve()
    expect(tracker.scopes).toMatchObject([{ name: 'mails', labels: { queue: 'mails', batch: 'true' } }])
    expect(told).toEqual([[expect.objectContaining({ energyJoules: 1 }), jobs(3)]])
  })

  it('lets a handler see the data of its jobs, as pg-boss declares them', async () => {
    interface Job<Data> {
      readonly id: string
      readonly name: string
      readonly data: Data
    }
    const work = <Data = any>(handler: (batch: Job<Data>[]) => Promise<unknown>): typeof handler => handler // oxlint-disable-line typescript/no-explicit-any
    const tracker = recordingScopes()
    const told: unknown[] = []
    const options = {
      tracker,
      onRecord: (_record: ScopeRecord, [job]: readonly PgBossJob[]) => void told.push(job?.data.to),
    }
    const untyped = work(withCarbon(async ([job]) => `to ${job?.data.to}`, options))
    const typed = work<{ to: string }>(withCarbon(async ([job]) => job?.data.to.toUpperCase(), { tracker }))
    const batch = [{ id: '1', name: 'mails', data: { to: 'ada' } }]
    expect([await untyped(batch), await typed(batch)]).toEqual(['to ada', 'ADA'])
    await Promise.resolve()
    expect(told).toEqual(['ada'])
  })

  it('keeps the transaction, this, and how many parameters there are', async () => {
    const tracker = recordingScopes()
    async function handle(this: object, batch: PgBossJob[], transaction: { id: number }) {
      return [this, batch.length, transaction.id]
    }
    const handler = withCarbon(handle, { tracker })
    expect([handler.name, handler.length]).toEqual(['handle', 2])
    const owner = {}
    expect(await handler.call(owner, jobs(1), { id: 5 })).toEqual([owner, 1, 5])
  })

  it.each([
    ['completed', ['completed', 'completed']],
    ['failed', ['failed', 'deadletter']],
    ['partly failed', ['completed', 'failed']],
    ['partly failed', ['completed']],
  ])('is %s where the jobs are %j', async (outcome, statuses) => {
    const tracker = recordingScopes()
    const results = statuses.map((status, index) => ({ id: `job ${index}`, status }))
    expect(await withCarbon(async (_jobs: PgBossJob[]) => results, { tracker })(jobs(2))).toBe(results)
    expect(tracker.scopes[0]?.outcomes).toEqual([outcome])
  })

  it('is completed where a list is what it returns, and no list of results', async () => {
    const tracker = recordingScopes()
    for (const result of [[], [{ status: 'failed' }], [{ id: 'somebody', status: 'failed' }], ['failed']])
      await withCarbon(async (_jobs: PgBossJob[]) => result, { tracker })(jobs(1))
    expect(new Set(tracker.scopes.flatMap(({ outcomes }) => outcomes))).toEqual(new Set(['completed']))
  })

  it('is failed where it throws, and aborted where the time of its jobs was over before', async () => {
    const tracker = recordingScopes()
    const failing = async (_jobs: PgBossJob[]) => Promise.reject(new Error('no server'))
    await expect(withCarbon(failing, { tracker })(jobs(1))).rejects.toThrow('no server')
    await withCarbon(async (_jobs: PgBossJob[]) => 'late', { tracker })(jobs(2, AbortSignal.abort()))
    expect(tracker.scopes.map(({ outcomes }) => outcomes)).toEqual([['failed'], ['aborted']])
  })

  it.each([
    [['mails'], 'withCarbon: expected a handler function, got string'],
    [[() => 1, 5], 'withCarbon: expected options behind the handler, got number'],
    [[() => 1, { tracker: {} }], 'option tracker: expected an EmissionsTracker'],
    [[() => 1, { onRecord: 'me' }], 'option onRecord: expected a function, got string'],
  ])('refuses %j', (given, message) => {
    expect(() => withCarbon(...(given as unknown as Parameters<typeof withCarbon>))).toThrow(message)
  })
})

describe('the hook of pg-boss', () => {
  it('measures the handlers that work is given, with options and without', async () => {
    const tracker = recordingScopes()
    setProcessScopes(tracker)
    onTestFinished(() => {
      setProcessScopes(undefined)
    })
    class PgBoss {
      // What the real one takes: a name, perhaps options, and the handler.
      async work(...args: unknown[]): Promise<unknown> {
        return [args[0], args.length, await (args.at(-1) as (batch: PgBossJob[]) => unknown)(jobs(1))]
      }
    }
    pgBossHook.install({ PgBoss }, { name: 'pg-boss', version: '12.38.0' })
    const boss = new PgBoss()
    expect(await boss.work('mails', async () => 'sent')).toEqual(['mails', 2, 'sent'])
    expect(await boss.work('mails', { batchSize: 1 }, async () => 'sent')).toEqual(['mails', 3, 'sent'])
    const own = withCarbon(async (_jobs: PgBossJob[]) => 'sent', { tracker })
    expect(await boss.work('mails', own)).toEqual(['mails', 2, 'sent'])
    expect(tracker.scopes.map(({ outcomes }) => outcomes)).toEqual(
      Array.from({ length: 3 }, () => ['completed']),
    )
  })

  it('says what it misses in a package that is no pg-boss', () => {
    const install = () => pgBossHook.install({}, { name: 'pg-boss', version: '1.0.0' })
    expect(install).toThrow('expected a class PgBoss with work in pg-boss')
  })
})
