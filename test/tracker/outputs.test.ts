import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  EmissionsTracker,
  trackEmissions,
  type EmissionsData,
  type Exporter,
  type OutputHandler,
} from '../../src/index.ts'
import { readTable } from '../fixtures/csv/table.ts'
import { fakeMachine, type FakeMachine } from './fake-machine.ts'
import { listen } from './messages.ts'

const joulesOf = ({ components }: EmissionsData): number => components[0]?.energyJoules ?? NaN

/** A handler that notes which hooks were called. */
function noting(): { handler: OutputHandler; calls: string[]; deltas: number[] } {
  const calls: string[] = []
  const deltas: number[] = []
  const handler: OutputHandler = {
    out: (total, delta) => {
      calls.push(`out ${Math.round(joulesOf(total))}`)
      deltas.push(joulesOf(delta))
    },
    liveOut: (_, delta) => {
      calls.push('liveOut')
      deltas.push(joulesOf(delta))
    },
    taskOut: (tasks, experiment) => void calls.push(`taskOut ${tasks.length} ${experiment}`),
    exit: () => void calls.push('exit'),
  }
  return { handler, calls, deltas }
}

const rowsOf = ({ outputDir }: FakeMachine): Record<string, string>[] =>
  readTable(join(outputDir, 'emissions.csv'))

describe('a handler', () => {
  it('is called at flush and at the end, with the run so far and what came since', async () => {
    const machine = fakeMachine()
    const { handler, calls, deltas } = noting()
    const tracker = new EmissionsTracker({ ...machine.options, outputHandlers: [handler] }).start()
    machine.use(10)
    tracker.task('epoch', () => machine.use(10))
    await tracker.flush()
    machine.use(5)
    await tracker.stop()
    await tracker.stop()
    expect(calls).toEqual(['taskOut 1 base', 'out 20', 'out 25', 'exit'])
    expect(deltas).toEqual([expect.closeTo(20, 9), expect.closeTo(5, 9)])
  })

  it('is called live every so many measurements, and the differences make up the run', async () => {
    const machine = fakeMachine()
    const { handler, calls, deltas } = noting()
    let heard = (): void => undefined
    const twice = new Promise<void>((resolve) => {
      heard = resolve
    })
    const liveOut: OutputHandler['liveOut'] = (total, delta) => {
      void handler.liveOut?.(total, delta)
      machine.use(1)
      if (calls.length === 2) heard()
    }
    const options = { ...machine.options, measurePowerSecs: 0.01, apiCallInterval: 2 }
    const tracker = new EmissionsTracker({ ...options, outputHandlers: [{ ...handler, liveOut }] }).start()
    await twice
    await tracker.stop()
    const total = joulesOf(tracker.finalEmissionsData ?? expect.fail())
    expect(deltas.reduce((sum, delta) => sum + delta, 0)).toBeCloseTo(total, 9)
    expect(calls.at(-1)).toBe('exit')
    expect(rowsOf(machine)).toHaveLength(1)
  })

  it('is not called live where that is turned off', async () => {
    const machine = fakeMachine()
    const { handler, calls } = noting()
    let reports = 0
    const counter: Exporter = { name: 'counter', export: () => void (reports += 1) }
    const options = { ...machine.options, measurePowerSecs: 0.01, apiCallInterval: -1, exporters: [counter] }
    const tracker = new EmissionsTracker({ ...options, outputHandlers: [handler] }).start()
    const until = performance.now() + 60
    while (performance.now() < until) await new Promise(setImmediate)
    await tracker.stop()
    expect(calls).toEqual(['out 0', 'exit'])
    expect(reports).toBe(1)
  })

  it('that fails in any way keeps no figure from the others', async () => {
    const machine = fakeMachine()
    const messages = listen()
    const { handler, calls } = noting()
    const throwing: OutputHandler = {
      out: () => {
        throw new Error('thrown in out')
      },
      exit: () => {
        throw new Error('thrown in exit')
      },
    }
    const rejecting: OutputHandler = { out: () => Promise.reject(new Error('rejected in out')) }
    const tracker = new EmissionsTracker({
      ...machine.options,
      logLevel: 'warning',
      outputHandlers: [throwing, rejecting, handler],
    }).start()
    machine.use(10)
    expect(await tracker.flush()).toBeGreaterThan(0)
    expect(await tracker.stop()).toBeGreaterThan(0)
    expect(calls).toEqual(['out 10', 'out 10', 'exit'])
    expect(rowsOf(machine)).toHaveLength(2)
    expect(messages.stderr.filter((line) => line.includes('thrown in out'))).toHaveLength(1)
    expect(messages.stderr.filter((line) => line.includes('rejected in out'))).toHaveLength(1)
  })

  it('that fails at a flush is named among the problems of the run', async () => {
    const machine = fakeMachine()
    const fail = vi.fn<() => Promise<void>>().mockRejectedValueOnce(new Error('no'))
    const tracker = new EmissionsTracker({ ...machine.options, outputHandlers: [{ out: fail }] }).start()
    await tracker.flush()
    await tracker.stop()
    expect(tracker.finalEmissionsData?.problems).toEqual([
      expect.objectContaining({ code: 'ERR_EXPORT_FAILED', subject: 'handler 1' }),
    ])
  })

  const hang = (): Promise<void> => new Promise(() => undefined)

  it.each([
    ['in out', { out: hang }],
    ['in exit', { exit: hang }],
    ['in both', { out: hang, exit: hang }],
    ['in taskOut', { taskOut: hang }],
  ] as const)('that hangs %s holds stop() up for five seconds and no longer', async (_, hanging) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const machine = fakeMachine()
    const messages = listen()
    const { handler, calls } = noting()
    const tracker = new EmissionsTracker({
      ...machine.options,
      logLevel: 'warning',
      outputHandlers: [hanging, handler],
    }).start()
    tracker.startTask('epoch').stop()
    let isStopped = false
    const stopped = tracker.stop().then((kg) => {
      isStopped = true
      return kg
    })
    await vi.advanceTimersByTimeAsync(4900)
    expect(isStopped).toBe(false)
    expect(rowsOf(machine)).toHaveLength(1)
    expect(calls).toContain('out 0')
    await vi.advanceTimersByTimeAsync(200)
    expect(isStopped).toBe(true)
    await stopped
    expect(messages.stderr.join('')).toContain('handler 1')
  })

  it('that hangs while the run goes on keeps no other from its live figures', async () => {
    const machine = fakeMachine()
    let count = 0
    let heard = (): void => undefined
    const thrice = new Promise<void>((resolve) => {
      heard = resolve
    })
    const counting: OutputHandler = {
      liveOut: () => {
        count += 1
        if (count === 3) heard()
      },
    }
    const tracker = new EmissionsTracker({
      ...machine.options,
      measurePowerSecs: 0.01,
      apiCallInterval: 1,
      outputHandlers: [{ liveOut: hang }, counting],
    }).start()
    const before = performance.now()
    await thrice
    expect(performance.now() - before).toBeLessThan(4000)
    tracker.stopSync()
  })

  it('that rejects is no unhandled rejection of the program, where nobody can wait for it', async () => {
    const machine = fakeMachine()
    const unhandled: unknown[] = []
    const note = (reason: unknown): void => void unhandled.push(reason)
    const others = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', note)
    onTestFinished(() => {
      process.removeAllListeners('unhandledRejection')
      for (const other of others) process.on('unhandledRejection', other)
    })
    const reject = (): Promise<void> => Promise.reject(new Error('rejected'))
    const handler: OutputHandler = { out: reject, taskOut: reject, exit: reject }
    const tracker = new EmissionsTracker({ ...machine.options, outputHandlers: [handler] }).start()
    tracker.startTask('epoch').stop()
    tracker.stopSync()
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate)
    expect(unhandled).toEqual([])
  })
})

describe('an exporter of the user', () => {
  it('is given whole reports, and closed at the end', async () => {
    const machine = fakeMachine()
    const reasons: string[] = []
    const exporter: Exporter = {
      name: 'mine',
      export: ({ reason, snapshot, total }) => {
        expect(snapshot.readings.length).toBeGreaterThan(0)
        expect(total.runId).toBe(tracker.runId)
        reasons.push(reason)
      },
      close: () => void reasons.push('closed'),
    }
    const tracker = new EmissionsTracker({ ...machine.options, exporters: [exporter] }).start()
    await tracker.flush()
    await tracker.stop()
    expect(reasons).toEqual(['flush', 'stop', 'closed'])
  })

  it('that has nothing synchronous is given the figures of a synchronous run all the same', () => {
    const machine = fakeMachine()
    const reasons: string[] = []
    const exporter: Exporter = { name: 'mine', export: ({ reason }) => void reasons.push(reason) }
    const sum = trackEmissions((a: number, b: number) => a + b, { ...machine.options, exporters: [exporter] })
    expect(sum(1, 2)).toBe(3)
    expect(reasons).toEqual(['stop'])
  })

  it('is not closed before it is done with what was still on its way', async () => {
    const machine = fakeMachine()
    const order: string[] = []
    const exporter: Exporter = {
      name: 'mine',
      async export({ reason }) {
        await new Promise(setImmediate)
        order.push(reason)
      },
      close: () => void order.push('closed'),
    }
    const tracker = new EmissionsTracker({ ...machine.options, exporters: [exporter] }).start()
    await Promise.all([tracker.flush(), tracker.stop()])
    expect(order).toEqual(['flush', 'stop', 'closed'])
  })
})

it("leaves the caller's options, lists and handlers as they are", async () => {
  const machine = fakeMachine()
  const { handler } = noting()
  const given = Object.freeze({
    ...machine.options,
    outputMethods: Object.freeze(['csv'] as const),
    outputHandlers: Object.freeze([Object.freeze(handler)]),
    exporters: Object.freeze([]),
  })
  const before = { ...given }
  const tracker = new EmissionsTracker(given).start()
  await tracker.flush()
  await tracker.stop()
  expect(given).toEqual(before)
  expect(given.outputHandlers).toEqual([handler])
})
