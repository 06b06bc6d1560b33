import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { ConfigError, trackEmissions } from '../../src/index.ts'
import { fakeMachine, type FakeMachine } from './fake-machine.ts'

const rowsOf = ({ outputDir }: FakeMachine): Record<string, string>[] => {
  try {
    return parse(readFileSync(join(outputDir, 'emissions.csv')), { columns: true })
  } catch {
    return []
  }
}

describe('a function that is tracked', () => {
  it('stays synchronous where it is, and its row is there when it returns', () => {
    const machine = fakeMachine()
    const add = trackEmissions((a: number, b: number) => {
      machine.use(36)
      return a + b
    }, machine.options)
    expect(add(1, 2)).toBe(3)
    const [row, ...others] = rowsOf(machine)
    expect(others).toEqual([])
    expect(Number(row?.['cpu_energy'])).toBeCloseTo(1e-5, 12)
  })

  it('is awaited where it is asynchronous', async () => {
    const machine = fakeMachine()
    const twice = trackEmissions(async (n: number) => {
      await new Promise(setImmediate)
      machine.use(36)
      return 2 * n
    }, machine.options)
    expect(await twice(21)).toBe(42)
    expect(Number(rowsOf(machine)[0]?.['cpu_energy'])).toBeCloseTo(1e-5, 12)
  })

  it('lets its errors pass after the row is written', async () => {
    const machine = fakeMachine()
    const fail = trackEmissions((): never => {
      throw new RangeError('thrown')
    }, machine.options)
    const reject = trackEmissions(() => Promise.reject(new RangeError('rejected')), machine.options)
    expect(() => fail()).toThrow(new RangeError('thrown'))
    expect(rowsOf(machine)).toHaveLength(1)
    await expect(reject()).rejects.toThrow(new RangeError('rejected'))
    expect(rowsOf(machine)).toHaveLength(2)
  })

  it('keeps its name, its number of parameters and its `this`', () => {
    const { options } = fakeMachine()
    const counter = {
      step: 3,
      add: trackEmissions(function add(this: { step: number }, n: number) {
        return n + this.step
      }, options),
    }
    expect([counter.add.name, counter.add.length]).toEqual(['add', 1])
    expect(counter.add(4)).toBe(7)
  })

  it('has a run for each of its calls, even at the same time', async () => {
    const machine = fakeMachine()
    const work = trackEmissions(() => new Promise(setImmediate), machine.options)
    await Promise.all([work(), work(), work()])
    expect(new Set(rowsOf(machine).map((row) => row['run_id'])).size).toBe(3)
  })

  it('refuses a wrong option where it is wrapped, not where it is called', () => {
    expect(() => trackEmissions(() => 1, { measurePowerSecs: -1 })).toThrow(ConfigError)
    expect(() => trackEmissions({ trackingMode: 'both' as never })).toThrow('"both"')
  })
})

describe('a generator that is tracked', () => {
  it('is tracked from its first step to its last', () => {
    const machine = fakeMachine()
    const count = trackEmissions(function* (to: number) {
      for (let n = 1; n <= to; n += 1) {
        machine.use(18)
        yield n
      }
      return 'done'
    }, machine.options)
    const steps = count(2)
    machine.use(1000)
    expect([...steps]).toEqual([1, 2])
    expect(Number(rowsOf(machine)[0]?.['cpu_energy'])).toBeCloseTo(1e-5, 12)
  })

  it('ends its run where it is left early', async () => {
    const machine = fakeMachine()
    const forever = trackEmissions(async function* () {
      for (let n = 0; ; n += 1) yield n
    }, machine.options)
    for await (const n of forever()) if (n === 3) break
    expect(rowsOf(machine)).toHaveLength(1)
  })
})

describe('a method', () => {
  it('is tracked by the decorator, with and without options', async () => {
    const machine = fakeMachine()
    const context = {
      kind: 'method',
      addInitializer: () => undefined,
    } as unknown as ClassMethodDecoratorContext
    class Job {
      times = 2
      run(n: number): Promise<number> {
        return Promise.resolve(n * this.times)
      }
    }
    // What a compiler makes of `@trackEmissions({ … }) run()` and of `@trackEmissions run()`.
    Job.prototype.run = trackEmissions({ ...machine.options, projectName: 'job' })(Job.prototype.run, context)
    expect(await new Job().run(4)).toBe(8)
    expect(rowsOf(machine)[0]).toMatchObject({ project_name: 'job' })
    expect(typeof trackEmissions(Job.prototype.run, context)).toBe('function')
  })
})
