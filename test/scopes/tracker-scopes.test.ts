import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { seconds } from '../../src/core/units.ts'
import { createPrometheusExporter } from '../../src/exporters/prometheus/prometheus-exporter.ts'
import { currentScope, EmissionsTracker, withCarbon, type ScopeRecord } from '../../src/index.ts'
import { fakeMachine, type FakeMachine } from '../tracker/fake-machine.ts'
import { listen } from '../tracker/messages.ts'

/** A running tracker on a fake machine, and what its exporters were told. */
function running(options: object = {}): {
  machine: FakeMachine
  tracker: EmissionsTracker
  told: ScopeRecord[]
  messages: readonly string[]
} {
  const machine = fakeMachine()
  const told: ScopeRecord[] = []
  const { stderr: messages } = listen()
  const exporter = {
    name: 'told',
    export: () => undefined,
    onScopes: (ended: readonly ScopeRecord[]) => void told.push(...ended),
  }
  const tracker = new EmissionsTracker({ ...machine.options, exporters: [exporter], ...options })
  return { machine, tracker: tracker.start(), told, messages }
}

/** Keeps the thread busy. */
function spin(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

const joulesOf = ({ energyJoules }: ScopeRecord | undefined = {} as ScopeRecord): number =>
  energyJoules ?? NaN
const totalOf = (tracker: EmissionsTracker): number =>
  tracker.finalEmissionsData?.components.reduce((sum, { energyJoules = 0 }) => sum + energyJoules, 0) ?? NaN
const unattributedOf = (tracker: EmissionsTracker): number =>
  Object.values(tracker.unattributed?.energy ?? {}).reduce((sum, { value }) => sum + value, 0)

describe('a scope', () => {
  it('is told when the hardware has been read, with what it used', async () => {
    const { machine, tracker, told } = running()
    const scope = tracker.beginScope({ name: 'mail', kind: 'job', labels: { queue: 'night' } })
    machine.use(100)
    spin(30)
    scope.end('completed')
    expect(told).toEqual([])
    // Read at once: a machine that is busy with others would take its time.
    const flushed = tracker.flush()
    const record = await scope.settled()
    await flushed
    expect(told).toEqual([record])
    expect(record).toMatchObject({
      name: 'mail',
      kind: 'job',
      labels: { queue: 'night' },
      outcome: 'completed',
      attribution: 'shared',
      isNested: false,
    })
    expect(joulesOf(record)).toBeGreaterThan(10)
    expect(joulesOf(record)).toBeLessThanOrEqual(100)
    expect(record?.durationSeconds).toBeGreaterThanOrEqual(0.03)
    await tracker.stop()
  })

  it('shares its time with others, and the sum is what the machine used', async () => {
    const { machine, tracker, told } = running({ pue: 1.5 })
    for (let round = 0; round < 50; round += 1) {
      const scopes = ['a', 'b', 'c'].map((name) => tracker.beginScope({ name }))
      machine.use(2)
      spin(0.5)
      scopes[0]?.end()
      spin(0.5)
      scopes[1]?.end()
      scopes[2]?.end()
      if (round % 10 === 0) await tracker.flush()
    }
    machine.use(10)
    await tracker.stop()
    expect(told).toHaveLength(150)
    const sum = told.reduce((total, record) => total + joulesOf(record), 0)
    expect(sum + unattributedOf(tracker) * 1.5).toBeCloseTo(totalOf(tracker), 6)
    const of = (name: string): number =>
      told.filter((record) => record.name === name).reduce((total, record) => total + joulesOf(record), 0)
    expect(of('a')).toBeLessThan(of('b'))
    expect(Math.abs(of('b') - of('c'))).toBeLessThan(0.2 * of('b'))
  })

  it('is part of the one around it, also of a task', async () => {
    const { machine, tracker } = running()
    const inner: { outer?: ScopeRecord | undefined; job?: ScopeRecord | undefined } = {}
    const task = await new Promise<{ energyConsumed: number | undefined }>((resolve) => {
      void tracker.task(
        'epoch',
        async () => {
          const outer = tracker.beginScope({ name: 'request', kind: 'request' })
          machine.use(10)
          spin(5)
          const job = outer.run(() => tracker.beginScope({ name: 'job', kind: 'job' }))
          machine.use(100)
          spin(20)
          job.end()
          outer.end()
          inner.job = await job.settled()
          inner.outer = await outer.settled()
        },
        resolve,
      )
    })
    await tracker.stop()
    expect(inner.job?.isNested).toBe(true)
    expect(inner.outer?.isNested).toBe(true)
    expect(joulesOf(inner.outer)).toBeGreaterThan(joulesOf(inner.job))
    expect((task.energyConsumed ?? 0) * 3.6e6).toBeGreaterThanOrEqual(joulesOf(inner.outer) * (1 - 1e-9))
  })

  it('that outlives the one around it is told apart from that, with what it used from then on', async () => {
    const { machine, tracker, told } = running()
    const request = tracker.beginScope({ name: 'request', kind: 'request' })
    const job = request.run(() => tracker.beginScope({ name: 'job', kind: 'job' }))
    machine.use(10)
    await tracker.flush()
    request.end()
    machine.use(100)
    job.end()
    await tracker.stop()
    expect(told).toMatchObject([
      { name: 'request', isNested: false },
      { name: 'job', isNested: false },
    ])
    expect(joulesOf(told[0])).toBeGreaterThan(9)
    const sum = told.reduce((total, record) => total + joulesOf(record), 0)
    expect(sum + unattributedOf(tracker)).toBeCloseTo(totalOf(tracker), 9)
  })

  it('that is of no scope around it is none of its parts', async () => {
    const { tracker } = running()
    const outer = tracker.beginScope({ name: 'outer' })
    const inner = outer.run(() => tracker.beginScope({ name: 'inner', parent: null }))
    inner.end()
    outer.end()
    expect((await inner.settled())?.isNested).toBe(false)
    await tracker.stop()
  })

  it('that goes on when the run ends is told as unfinished', async () => {
    const { machine, tracker, told } = running()
    tracker.beginScope({ name: 'stream' })
    machine.use(5)
    await tracker.stop()
    expect(told).toMatchObject([{ name: 'stream', outcome: 'unfinished' }])
    expect(joulesOf(told[0])).toBeGreaterThan(0)
  })

  it('that goes on when the run ends is asked for its name, which may be known late, and may be wrong', async () => {
    const { tracker, told, messages } = running()
    const late = tracker.beginScope({ name: 'GET _unmatched' })
    late.nameAtEnd({ name: () => 'GET /users/:id' })
    const broken = tracker.beginScope({ name: 'GET' })
    broken.nameAtEnd({
      name: () => {
        throw new Error('no route')
      },
    })
    const ended = tracker.beginScope({ name: 'POST' })
    ended.nameAtEnd({ name: () => 'too late' })
    ended.end()
    await tracker.stop()
    expect(told.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['POST', 'ok'],
      ['GET /users/:id', 'unfinished'],
      ['GET', 'unfinished'],
    ])
    expect(messages.join('')).toContain('could not ask what task GET is called: no route')
  })

  it('that is discarded is told to nobody, and its energy is that of no scope', async () => {
    const { machine, tracker, told } = running()
    const scope = tracker.beginScope({ name: 'GET _unmatched' })
    machine.use(5)
    scope.discard()
    scope.end()
    expect(await scope.settled()).toBeUndefined()
    const around = tracker.beginScope({ name: 'around' })
    const inner = around.run(() => tracker.beginScope({ name: 'inner' }))
    machine.use(5)
    inner.discard()
    around.end()
    await tracker.stop()
    expect(told).toMatchObject([{ name: 'around', outcome: 'ok' }])
    expect(tracker.finalEmissionsData?.scopes).toMatchObject([{ name: 'around', outcomes: { ok: 1 } }])
    expect(joulesOf(told[0]) + unattributedOf(tracker)).toBeCloseTo(totalOf(tracker), 9)
    expect(totalOf(tracker)).toBeCloseTo(10, 9)
  })

  it('ends once, and is not told before it has ended', async () => {
    const { tracker, told } = running()
    const scope = tracker.beginScope({ name: 'one' })
    expect(await scope.settled()).toBeUndefined()
    scope.end('ok')
    scope.end('error')
    await scope.settled()
    await tracker.stop()
    scope.end('late')
    expect(told.map(({ outcome }) => outcome)).toEqual(['ok'])
  })

  it('of its own CPU time is given the energy of that time', async () => {
    const { machine, tracker } = running()
    const cpus = tracker.getDetectedHardware()?.cpuCount ?? 1
    const scope = tracker.beginScope({ name: 'child', attribution: 'exact' })
    machine.use(100)
    spin(50)
    scope.addCpu(0.05 as Parameters<typeof scope.addCpu>[0])
    scope.end()
    const flushed = tracker.flush()
    const record = await scope.settled()
    await flushed
    await tracker.stop()
    expect(record?.attribution).toBe('exact')
    // One of all processors for most of the time.
    expect(joulesOf(record)).toBeGreaterThan(0.2 * (100 / cpus))
    expect(joulesOf(record)).toBeLessThanOrEqual(100 / cpus + 1)
  })

  it('has lasted for as long as is told at its end', async () => {
    const { tracker, told } = running()
    tracker.beginScope({ name: 'child' }).end('lost', seconds(17))
    await tracker.stop()
    expect(told).toMatchObject([{ name: 'child', durationSeconds: 17 }])
  })

  it('is let go of when it has ended, also where each begins the next one', async () => {
    const { tracker } = running()
    const scopes: WeakRef<object>[] = []
    let last: object | undefined
    await new Promise<void>((resolve) => {
      const next = (count: number): void => {
        const scope = tracker.beginScope({ name: 'poll' })
        scopes.push(new WeakRef(scope))
        last = scope
        scope.run(() => {
          tracker.task('inner', () => {
            setImmediate(() => {
              if (count > 0) next(count - 1)
              else resolve()
              scope.end()
            })
          })
        })
      }
      next(100)
    })
    await tracker.flush()
    await new Promise(setImmediate)
    setFlagsFromString('--expose_gc')
    const gc = runInNewContext('gc') as () => void
    // Some may stay: a timer that waits was made in one of them.
    await expect
      .poll(
        () => {
          gc()
          // Not what they refer to: whoever is told of that would keep it.
          return scopes.filter((scope) => scope.deref() !== undefined).length
        },
        { timeout: 10_000 },
      )
      .toBeLessThan(10)
    // The one at the other end is there all the while.
    expect(last).toMatchObject({ name: 'poll' })
    await tracker.stop()
  })

  it('takes names and labels that are no texts as texts', async () => {
    const prometheus = createPrometheusExporter({ scopeLabels: ['tenant', 'big'] })
    const { tracker } = running({ exporters: [prometheus] })
    const scope = tracker.beginScope({ name: 'job' })
    scope.setLabel('tenant', 7 as never)
    scope.setLabel('big', 10n as never)
    scope.end(undefined)
    await tracker.stop()
    const { body } = await prometheus.metrics()
    expect(body).toMatch(/codecarbon_task_duration_seconds_count\{task="job",[^}]*tenant="7",big="10"\} 1/)
  })

  it('may be given anything as its name, labels and outcome: it ends, and nothing is thrown', async () => {
    const bare: unknown = Object.create(null)
    const { tracker, told } = running()
    const scope = tracker.beginScope({
      name: bare as never,
      labels: { tags: bare as never, no: undefined as never, size: 7 as never },
    })
    scope.setLabel('later', bare as never)
    scope.setLabel('none', null as never)
    scope.rename(bare as never)
    scope.end(bare as never)
    tracker.beginScope({ name: 'unlabelled', labels: null as never }).end()
    tracker
      .beginScope({
        name: 'hostile',
        labels: {
          get queue(): string {
            throw new Error('no')
          },
        },
      })
      .end()
    await tracker.stop()
    expect(told).toMatchObject([
      { name: 'unknown', outcome: 'unknown', labels: { tags: 'unknown', size: '7', later: 'unknown' } },
      { name: 'unlabelled', labels: {} },
      { name: 'hostile', labels: {} },
    ])
    expect(Object.keys(told[0]?.labels ?? {})).toEqual(['tags', 'size', 'later'])
  })

  it('without labels takes no scope beside it out of the metrics', async () => {
    const prometheus = createPrometheusExporter()
    const { tracker } = running({ exporters: [prometheus] })
    tracker.beginScope({ name: 'bad', labels: null as never }).end()
    tracker.beginScope({ name: 'good' }).end()
    await tracker.stop()
    const { body } = await prometheus.metrics()
    expect(body).toMatch(/codecarbon_task_duration_seconds_count\{task="good",[^}]*\} 1/)
    expect(body).toMatch(/codecarbon_task_duration_seconds_count\{task="bad",[^}]*\} 1/)
  })

  it('begins no new run where the tracker was stopped', async () => {
    const { tracker, told } = running()
    await tracker.stop()
    const { runId } = tracker
    const scope = tracker.beginScope({ name: 'late' })
    scope.end()
    expect(await scope.settled()).toBeUndefined()
    expect([tracker.runId, told]).toEqual([runId, []])
  })

  it('without a run measures nothing, and does no harm', async () => {
    const broken = new EmissionsTracker({ allowMultipleRuns: true, outputMethods: [], logLevel: 'critical' })
    broken.start = () => broken
    const scope = broken.beginScope({ name: 'nothing' })
    expect(scope.run(() => 7)).toBe(7)
    scope.setLabel('a', 'b')
    scope.end()
    expect(await scope.settled()).toBeUndefined()
  })
})

describe('currentScope', () => {
  it('is the innermost, across await, and none outside', async () => {
    const { tracker } = running()
    const outer = tracker.beginScope({ name: 'outer', kind: 'request' })
    expect(currentScope()).toBeUndefined()
    await outer.run(async () => {
      await Promise.resolve()
      expect(currentScope()).toMatchObject({ name: 'outer', kind: 'request' })
      tracker.task('task', () => {
        expect(currentScope()?.name).toBe('task')
      })
      expect(currentScope()?.name).toBe('outer')
    })
    outer.end()
    await tracker.stop()
  })

  it('takes labels and functional units, which count for all around it', async () => {
    const { tracker, told, messages } = running({ functionalUnit: 'image' })
    const outer = tracker.beginScope({ name: 'outer' })
    outer.run(() => {
      const inner = tracker.beginScope({ name: 'inner' })
      inner.run(() => {
        currentScope()?.setLabel('tenant', 'a')
        currentScope()?.countFunctionalUnits(3)
        currentScope()?.countFunctionalUnits(-1)
      })
      tracker.countFunctionalUnits(2)
      inner.end()
    })
    outer.end()
    await tracker.stop()
    expect(told).toMatchObject([
      { name: 'inner', labels: { tenant: 'a' }, functionalUnits: 3 },
      { name: 'outer', labels: {}, functionalUnits: 5 },
    ])
    expect(tracker.finalEmissionsData?.sci?.functionalUnits).toBe(5)
    expect(messages.join('\n')).toMatch(/expected a number from 0, got -1/)
  })
})

describe('withCarbon', () => {
  it('keeps results, errors, this, arity and name, and tells outcomes', async () => {
    const { tracker, told } = running()
    const add = withCarbon(
      'add',
      function (this: { base: number }, a: number, b: number) {
        return this.base + a + b
      },
      { tracker },
    )
    expect(add.call({ base: 1 }, 2, 3)).toBe(6)
    expect(add.length).toBe(2)
    const later = withCarbon(
      'later',
      async function named(value: string) {
        await Promise.resolve()
        if (value === 'bad') throw new Error('as it was')
        return value
      },
      { tracker, labels: { queue: 'q' } },
    )
    expect(later.name).toBe('named')
    expect(await later('good')).toBe('good')
    await expect(later('bad')).rejects.toThrow('as it was')
    const failing = (): void => {
      throw new RangeError('at once')
    }
    const throws = withCarbon('throws', failing, { tracker })
    expect(throws).toThrow(RangeError)
    await tracker.stop()
    expect(told.map(({ name, outcome, kind }) => [name, outcome, kind])).toEqual([
      ['add', 'ok', 'job'],
      ['later', 'ok', 'job'],
      ['later', 'error', 'job'],
      ['throws', 'error', 'job'],
    ])
  })

  it('gives each record to whoever asks, and survives when that one throws', async () => {
    const { machine, tracker } = running()
    const records: ScopeRecord[] = []
    const warnings: Error[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning)
    process.on('warning', onWarning)
    const work = withCarbon(
      'work',
      () => {
        machine.use(3)
        spin(2)
      },
      {
        tracker,
        onRecord: (record) => {
          records.push(record)
          throw new Error('not my business')
        },
      },
    )
    work()
    await expect.poll(() => warnings.length).toBe(1)
    process.off('warning', onWarning)
    expect(joulesOf(records[0])).toBeGreaterThan(0)
    expect(warnings[0]?.message).toMatch(/what work has used could not be told: not my business/)
    await tracker.stop()
  })

  it('runs a job that cannot be measured, and says why once', async () => {
    const warnings: string[] = []
    const onWarning = ({ message }: Error): void => void warnings.push(message)
    process.on('warning', onWarning)
    const tracker = {
      beginScope: () => {
        throw new Error('no descriptors left')
      },
    }
    const job = withCarbon('job', () => 'result', { tracker })
    expect([job(), job(), job(), job()]).toEqual(['result', 'result', 'result', 'result'])
    await expect.poll(() => warnings.length).toBe(2)
    process.off('warning', onWarning)
    expect(warnings[0]).toBe('withCarbon: no descriptors left')
  })

  const nothing = (): void => undefined
  it.each([
    ['no name', [7, nothing]],
    ['an empty name', ['', nothing]],
    ['no function', ['job', 'work']],
  ])('refuses %s', (_what, given) => {
    expect(() => withCarbon(...(given as Parameters<typeof withCarbon>))).toThrow(/^withCarbon: expected/)
  })
})

describe('the record of the run', () => {
  it('has what scopes used by name, and so has the report, the most first', async () => {
    const { machine, tracker } = running()
    for (const [name, joules, outcome] of [
      ['small', 1, 'completed'],
      ['large', 50, 'completed'],
      ['large', 50, 'failed'],
    ] as const) {
      const scope = tracker.beginScope({ name, kind: 'job' })
      machine.use(joules)
      spin(3)
      scope.end(outcome)
      await tracker.flush()
    }
    await tracker.stop()
    const scopes = tracker.finalEmissionsData?.scopes ?? []
    expect(scopes.map(({ name, count, outcomes }) => [name, count, outcomes])).toEqual([
      ['large', 2, { completed: 1, failed: 1 }],
      ['small', 1, { completed: 1 }],
    ])
    const sum = scopes.reduce((total, { energyJoules = NaN }) => total + energyJoules, 0)
    expect(sum + unattributedOf(tracker)).toBeCloseTo(totalOf(tracker), 6)
    expect(await tracker.report()).toMatch(
      /^Of it {7}\S+ J .*large, job: 2, 1 completed, 1 failed\n {12}.*small, job: 1 completed$/m,
    )
  })
})

describe('metrics', () => {
  it('have a series for each name and outcome, with the labels that were asked for', async () => {
    const prometheus = createPrometheusExporter({ scopeLabels: ['tenant'] })
    const { machine, tracker } = running({ exporters: [prometheus] })
    for (const [outcome, tenant] of [
      ['completed', 'a'],
      ['completed', 'a'],
      ['failed', 'b'],
    ] as const) {
      const scope = tracker.beginScope({
        name: 'mail',
        kind: 'job',
        labels: { queue: 'night', tenant, other: 'x' },
      })
      machine.use(4)
      spin(2)
      scope.end(outcome)
    }
    await tracker.stop()
    const { body } = await prometheus.metrics()
    const labels = 'task="mail",kind="job",outcome="completed",attribution="shared",queue="night",tenant="a"'
    expect(body).toContain(`codecarbon_task_duration_seconds_count{${labels}} 2\n`)
    expect(body).toMatch(/codecarbon_task_energy_joules_count\{[^}]*outcome="failed"[^}]*tenant="b"\} 1\n/)
    expect(body).not.toContain('other=')
  })

  it('have only labels that a scope was given, and not what every object has', async () => {
    const prometheus = createPrometheusExporter({ scopeLabels: ['constructor'] })
    const { tracker } = running({ exporters: [prometheus] })
    tracker.beginScope({ name: 'mail' }).end()
    tracker.beginScope({ name: 'house', labels: Object.fromEntries([['constructor', 'x']]) }).end()
    await tracker.stop()
    const { body } = await prometheus.metrics()
    expect(body).toMatch(
      /task_duration_seconds_count\{task="mail",kind="task",outcome="ok",attribution="shared"\}/,
    )
    expect(body).toMatch(/task_duration_seconds_count\{task="house",[^}]*constructor="x"\} 1/)
  })

  it('are bounded, whatever names and labels programs make up', async () => {
    const prometheus = createPrometheusExporter({ scopeLabels: ['tenant'] })
    const { tracker } = running({ exporters: [prometheus] })
    for (let index = 0; index < 5000; index += 1)
      tracker.beginScope({ name: `job ${index}`, labels: { tenant: `tenant ${index}` } }).end()
    for (let index = 0; index < 500; index += 1) tracker.beginScope({ name: 'job 1' }).end(`error ${index}`)
    await tracker.stop()
    const { body } = await prometheus.metrics()
    const counts = [...body.matchAll(/^codecarbon_task_duration_seconds_count\{.*\} (\d+)$/gm)].map(([, n]) =>
      Number(n),
    )
    expect(counts.length).toBeLessThanOrEqual(125)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(5500)
  })
})
