import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { EmissionsTracker, OfflineEmissionsTracker } from '../../src/index.ts'
import { readTable } from '../fixtures/csv/table.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'
import { fakeMachine } from './fake-machine.ts'
import { listen } from './messages.ts'

const rowsOf = (outputDir: string): Record<string, string>[] => readTable(join(outputDir, 'emissions.csv'))

describe('start()', () => {
  it('returns the tracker at once', async () => {
    const { options } = fakeMachine()
    const tracker = new EmissionsTracker(options)
    expect(tracker.start()).toBe(tracker)
    expect(tracker.runId).toMatch(/^[0-9a-f-]{36}$/)
    await tracker.stop()
  })

  it('opens and writes nothing before it is called', () => {
    const { folder, options } = fakeMachine()
    const tracker = new EmissionsTracker(options)
    expect(tracker.runId).toBeUndefined()
    expect(tracker.emissionsData).toBeUndefined()
    expect(tracker.csvPath).toBeUndefined()
    expect(tracker.getDetectedHardware()).toBeUndefined()
    expect(readdirSync(folder).toSorted()).toEqual(['proc', 'sys'])
  })

  it('changes nothing when it is called again, and says so', async () => {
    const machine = fakeMachine()
    const messages = listen()
    const tracker = new EmissionsTracker({ ...machine.options, logLevel: 'warning' }).start()
    const { runId } = tracker
    machine.use(5)
    tracker.start()
    expect(tracker.runId).toBe(runId)
    await tracker.stop()
    expect(messages.stderr.join('')).toMatch(/WARNING.*running already/)
    expect(tracker.finalEmissionsData?.components[0]?.energyJoules).toBeCloseTo(5, 9)
    expect(rowsOf(machine.outputDir)).toHaveLength(1)
  })
})

describe('stop()', () => {
  it('resolves with the kilograms of the record', async () => {
    const machine = fakeMachine()
    const tracker = new EmissionsTracker(machine.options).start()
    machine.use(3600)
    const kg = await tracker.stop()
    expect(kg).toBeGreaterThan(0)
    expect(tracker.finalEmissions).toBe(kg)
    expect(tracker.finalEmissionsData?.emissions).toBe(kg)
    expect(Number(rowsOf(machine.outputDir)[0]?.['emissions'])).toBe(kg)
    expectTypeOf(kg).toEqualTypeOf<number | undefined>()
  })

  it('gives the same answer and writes no other row when it is called again', async () => {
    const machine = fakeMachine()
    const tracker = new EmissionsTracker(machine.options).start()
    machine.use(10)
    const kg = await tracker.stop()
    machine.use(10)
    expect(await tracker.stop()).toBe(kg)
    expect(tracker.stopSync()).toBe(kg)
    expect(await Promise.all([tracker.stop(), tracker.stop()])).toEqual([kg, kg])
    expect(rowsOf(machine.outputDir)).toHaveLength(1)
  })

  it('ends one run when it is called twice at once', async () => {
    const machine = fakeMachine()
    const tracker = new EmissionsTracker(machine.options).start()
    const [first, second] = await Promise.all([tracker.stop(), tracker.stop()])
    expect(first).toBe(second)
    expect(rowsOf(machine.outputDir)).toHaveLength(1)
  })

  it('without start() is undefined and a warning', async () => {
    const { outputDir, options } = fakeMachine()
    const messages = listen()
    const tracker = new EmissionsTracker({ ...options, logLevel: 'warning' })
    expect(await tracker.stop()).toBeUndefined()
    expect(tracker.stopSync()).toBeUndefined()
    expect(messages.stderr.join('')).toMatch(/WARNING.*stop\(\) without start\(\)/)
    expect(rowsOf(outputDir)).toEqual([])
  })

  it('counts what was used up to the call and nothing after it', async () => {
    const machine = fakeMachine()
    const tracker = new EmissionsTracker(machine.options).start()
    machine.use(7)
    const stopped = tracker.stop()
    machine.use(1000)
    await stopped
    expect(tracker.finalEmissionsData?.components[0]?.energyJoules).toBeCloseTo(7, 9)
  })

  it('may be synchronous: the row is there when it returns', () => {
    const machine = fakeMachine()
    const tracker = new EmissionsTracker(machine.options).start()
    machine.use(10)
    const kg = tracker.stopSync()
    expect(kg).toBeGreaterThan(0)
    expect(Number(rowsOf(machine.outputDir)[0]?.['emissions'])).toBe(kg)
    expect(tracker.stopSync()).toBe(kg)
    expect(rowsOf(machine.outputDir)).toHaveLength(1)
  })

  it('leaves no listener of a signal or of the end of the process behind', async () => {
    const events = ['exit', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const
    const count = (): number[] => events.map((event) => process.listenerCount(event))
    const before = count()
    const { options } = fakeMachine()
    const tracker = new EmissionsTracker(options).start()
    expect(count()).not.toEqual(before)
    await tracker.stop()
    expect(count()).toEqual(before)
  })

  it('says in one line what was used and where the row is, and stays silent from "warning" on', async () => {
    const messages = listen()
    for (const logLevel of ['info', 'warning'] as const) {
      const machine = fakeMachine()
      const tracker = new EmissionsTracker({ ...machine.options, logLevel, projectName: logLevel }).start()
      machine.use(100)
      await tracker.stop()
    }
    const text = messages.stderr.join('')
    expect(text).toMatch(/^\[codecarbon INFO @ \d\d:\d\d:\d\d\] tracking info: cpu measured \(rapl\)/)
    expect(text).toMatch(/info: .*J.* CO2eq in .*emissions\.csv\n$/)
    expect(text).not.toContain('warning')
    expect(messages.stdout).toEqual([])
  })

  it('puts the preamble into each line of the log', async () => {
    const messages = listen()
    const { options } = fakeMachine()
    await new EmissionsTracker({ ...options, logLevel: 'info', loggerPreamble: 'job 7' }).start().stop()
    for (const line of messages.stderr) expect(line).toContain('[job 7]')
    expect(messages.stderr).toHaveLength(2)
  })
})

describe('a tracker that is started again', () => {
  it('begins a new run with an id and a row of its own', async () => {
    const machine = fakeMachine()
    const tracker = new EmissionsTracker(machine.options).start()
    const first = tracker.runId
    machine.use(10)
    await tracker.stop()
    machine.use(1000)
    tracker.start()
    const second = tracker.runId
    expect(second).not.toBe(first)
    machine.use(20)
    await tracker.stop()
    expect(tracker.finalEmissionsData?.runId).toBe(second)
    expect(tracker.finalEmissionsData?.components[0]?.energyJoules).toBeCloseTo(20, 9)
    expect(rowsOf(machine.outputDir).map((row) => row['run_id'])).toEqual([first, second])
  })

  it('may be started again before the end of the last run is written', async () => {
    const machine = fakeMachine()
    const tracker = new EmissionsTracker(machine.options).start()
    const first = tracker.runId
    machine.use(10)
    const stopped = tracker.stop()
    tracker.start()
    const second = tracker.runId
    machine.use(2000)
    const kg = await Promise.all([stopped, tracker.stop()])
    expect(second).not.toBe(first)
    expect(tracker.finalEmissionsData?.runId).toBe(second)
    const rows = rowsOf(machine.outputDir)
    expect(rows.map((row) => row['run_id'])).toEqual([first, second])
    expect(rows.map((row) => Number(row['emissions']))).toEqual(kg)
  })
})

it('counts for each of several trackers what was used in its own time', async () => {
  const machine = fakeMachine()
  const outer = new EmissionsTracker({ ...machine.options, projectName: 'outer' }).start()
  machine.use(1)
  const inner = new EmissionsTracker({ ...machine.options, projectName: 'inner' }).start()
  machine.use(10)
  await inner.stop()
  machine.use(100)
  await outer.stop()
  expect(inner.finalEmissionsData?.components[0]?.energyJoules).toBeCloseTo(10, 9)
  expect(outer.finalEmissionsData?.components[0]?.energyJoules).toBeCloseTo(111, 9)
  expect(rowsOf(machine.outputDir).map((row) => row['project_name'])).toEqual(['inner', 'outer'])
})

describe('flush()', () => {
  it('adds a row of the totals so far and goes on, in append mode', async () => {
    const machine = fakeMachine()
    const tracker = new EmissionsTracker(machine.options).start()
    machine.use(36)
    const soFar = await tracker.flush()
    machine.use(36)
    const kg = await tracker.stop()
    expect(kg).toBeGreaterThan((soFar ?? 0) * 1.5)
    const rows = rowsOf(machine.outputDir)
    expect(rows.map((row) => Number(row['emissions']))).toEqual([soFar, kg])
    expect(new Set(rows.map((row) => row['run_id'])).size).toBe(1)
  })

  it('keeps one row up to date, in update mode', async () => {
    const machine = fakeMachine()
    const tracker = new EmissionsTracker({ ...machine.options, onCsvWrite: 'update' }).start()
    machine.use(36)
    await tracker.flush()
    await tracker.flush()
    machine.use(36)
    const kg = await tracker.stop()
    expect(rowsOf(machine.outputDir).map((row) => Number(row['emissions']))).toEqual([kg])
  })

  it('of a tracker that does not run is a warning, and the last figure', async () => {
    const { options } = fakeMachine()
    const messages = listen()
    const tracker = new EmissionsTracker({ ...options, logLevel: 'warning' })
    expect(await tracker.flush()).toBeUndefined()
    const kg = await tracker.start().stop()
    expect(await tracker.flush()).toBe(kg)
    expect(messages.stderr.filter((line) => line.includes('flush()'))).toHaveLength(2)
  })
})

describe('`await using`', () => {
  it('ends the run at the end of its block', async () => {
    const machine = fakeMachine()
    {
      await using tracker = new OfflineEmissionsTracker(machine.options).start()
      expect(tracker.runId).toBeDefined()
      machine.use(10)
    }
    expect(rowsOf(machine.outputDir)).toHaveLength(1)
  })

  it('ends the run where the block throws, and the error passes', async () => {
    const machine = fakeMachine()
    const block = async (): Promise<void> => {
      await using tracker = new EmissionsTracker(machine.options).start()
      throw new Error(`in ${tracker.runId === undefined ? 'no' : 'the'} run`)
    }
    await expect(block()).rejects.toThrow('in the run')
    expect(rowsOf(machine.outputDir)).toHaveLength(1)
  })

  it('writes no second row where the block stopped it', async () => {
    const machine = fakeMachine()
    {
      await using tracker = new EmissionsTracker(machine.options).start()
      await tracker.stop()
    }
    expect(rowsOf(machine.outputDir)).toHaveLength(1)
  })
})

describe('a tracker whose rows cannot be written', () => {
  it('resolves with kilograms all the same, and says where the figures are not', async () => {
    const machine = fakeMachine()
    const messages = listen()
    const outputDir = join(machine.options.procfsPath, 'stat')
    const state = process.env['XDG_STATE_HOME']
    process.env['XDG_STATE_HOME'] = outputDir
    const tracker = new EmissionsTracker({ ...machine.options, outputDir, logLevel: 'warning' }).start()
    machine.use(3600)
    const kg = await tracker.stop()
    if (state === undefined) delete process.env['XDG_STATE_HOME']
    else process.env['XDG_STATE_HOME'] = state
    expect(kg).toBeGreaterThan(0)
    expect(messages.stderr.filter((line) => line.includes('cannot be written:'))).toHaveLength(1)
  })

  it('writes none where none are asked for', async () => {
    const machine = fakeMachine()
    const tracker = new EmissionsTracker({ ...machine.options, outputMethods: [] }).start()
    expect(tracker.csvPath).toBeUndefined()
    expect(await tracker.stop()).toBeDefined()
    expect(readdirSync(machine.folder).toSorted()).toEqual(['proc', 'sys'])
  })
})

it('tells the hardware that it found', async () => {
  const { options } = fakeMachine()
  const tracker = new EmissionsTracker(options).start()
  expect(tracker.getDetectedHardware()).toMatchObject({
    ramTotalSize: 16,
    cpuCount: 4,
    cpuPhysicalCount: 1,
    cpuModel: 'Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz',
  })
  await tracker.stop()
})

it('reports in words, while it runs and afterwards', async () => {
  const machine = fakeMachine()
  const tracker = new EmissionsTracker({ ...machine.options, projectName: 'digits' })
  expect(await tracker.report()).toBe('')
  tracker.start()
  machine.use(3600)
  expect(await tracker.report()).toMatch(/CodeCarbon: digits[^]*CPU +1\.00 Wh .*measured/)
  await tracker.stop()
  expect(await tracker.report()).toContain(join(machine.outputDir, 'emissions.csv'))
})

it('writes where it says it does', async () => {
  const outputDir = join(temporaryFolder(), 'deep/er')
  const { options } = fakeMachine()
  const tracker = new EmissionsTracker({ ...options, outputDir, outputFile: 'runs.csv' }).start()
  const path = tracker.csvPath ?? ''
  await tracker.stop()
  expect(path).toBe(join(outputDir, 'runs.csv'))
  expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(3)
})
