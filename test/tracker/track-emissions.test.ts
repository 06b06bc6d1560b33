import { join } from 'node:path'
import { beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest'
import { trackEmissions, type TrackerOptions } from '../../src/index.ts'
import { readTable } from '../fixtures/csv/table.ts'
import { fakeMachine, type FakeMachine } from './fake-machine.ts'

let machine: FakeMachine
let options: TrackerOptions

beforeEach(() => {
  machine = fakeMachine()
  options = machine.options
})

const rows = (): Record<string, string>[] => readTable(join(machine.outputDir, 'emissions.csv'))
/** Joules of the package in each row. */
const joules = (): number[] => rows().map((row) => Math.round(Number(row['cpu_energy']) * 3.6e6 * 1e6) / 1e6)
const nextTurn = (): Promise<void> => new Promise(setImmediate)

describe('a synchronous function', () => {
  it('stays synchronous, and its row is there when it returns', () => {
    const add = trackEmissions((a: number, b: number) => {
      machine.use(10)
      return a + b
    }, options)
    expectTypeOf(add).toEqualTypeOf<(a: number, b: number) => number>()
    expect(add(1, 2)).toBe(3)
    expect(joules()).toEqual([10])
  })

  it('throws what it threw, after its row was written', () => {
    const error = new Error('no')
    const fail = trackEmissions(() => {
      machine.use(10)
      throw error
    }, options)
    let thrown: unknown
    try {
      fail()
    } catch (reason) {
      thrown = reason
    }
    expect(thrown).toBe(error)
    expect(joules()).toEqual([10])
  })

  it('has a row for each call, with an id of its own', () => {
    const work = trackEmissions(() => {
      machine.use(1)
    }, options)
    for (let call = 0; call < 3; call += 1) work()
    expect(joules()).toEqual([1, 1, 1])
    expect(new Set(rows().map((row) => row['run_id'])).size).toBe(3)
  })
})

describe('an asynchronous function', () => {
  it('is awaited, and its row is there when its promise resolves', async () => {
    const add = trackEmissions(async (a: number, b: number) => {
      machine.use(10)
      await nextTurn()
      machine.use(5)
      return a + b
    }, options)
    expectTypeOf(add).toEqualTypeOf<(a: number, b: number) => Promise<number>>()
    const sum = add(1, 2)
    expect(sum).toBeInstanceOf(Promise)
    expect(rows()).toEqual([])
    expect(await sum).toBe(3)
    expect(joules()).toEqual([15])
  })

  it('rejects with what it rejected with, after its row was written', async () => {
    const error = new Error('no')
    const fail = trackEmissions(async () => {
      await nextTurn()
      throw error
    }, options)
    await expect(fail()).rejects.toBe(error)
    expect(rows()).toHaveLength(1)
  })

  it('may return any thenable', async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- what is tested
    const query = trackEmissions(() => ({ then: (done: (value: number) => void) => done(7) }), options)
    expect(await query()).toBe(7)
    expect(rows()).toHaveLength(1)
  })

  it('has a row for each of several calls at once', async () => {
    const work = trackEmissions(async (turns: number) => {
      for (let turn = 0; turn < turns; turn += 1) await nextTurn()
      machine.use(1)
      return turns
    }, options)
    expect(await Promise.all([3, 1, 2].map((turns) => work(turns)))).toEqual([3, 1, 2])
    expect(rows()).toHaveLength(3)
    expect(new Set(rows().map((row) => row['run_id'])).size).toBe(3)
  })
})

describe('a generator function', () => {
  const countTo = function* (last: number): Generator<number, string, number | undefined> {
    for (let value = 1; value <= last; value += 1) {
      machine.use(1)
      yield value
    }
    return 'done'
  }

  it('is tracked from its first step to its last', () => {
    const steps = trackEmissions(countTo, options)(3)
    machine.use(1000)
    expect([...steps]).toEqual([1, 2, 3])
    expect(joules()).toEqual([3])
  })

  it('returns what it returns, and takes what it is sent', () => {
    const sent: unknown[] = []
    const echo = trackEmissions(function* (): Generator<string, number, string> {
      sent.push(yield 'a')
      sent.push(yield 'b')
      return 2
    }, options)
    const steps = echo()
    steps.next()
    steps.next('x')
    expect(steps.next('y')).toEqual({ done: true, value: 2 })
    expect(sent).toEqual(['x', 'y'])
    expect(rows()).toHaveLength(1)
  })

  it('has its row where it is left early', () => {
    for (const value of trackEmissions(countTo, options)(100)) if (value === 2) break
    expect(joules()).toEqual([2])
  })

  it('has its row where it throws, or is made to', () => {
    const fail = trackEmissions(function* () {
      yield 1
      throw new Error('no')
    }, options)
    expect(() => [...fail()]).toThrow('no')
    const steps = trackEmissions(countTo, options)(3)
    steps.next()
    expect(() => steps.throw(new Error('enough'))).toThrow('enough')
    expect(rows()).toHaveLength(2)
  })

  it('that is never stepped has no row', () => {
    trackEmissions(countTo, options)(3)
    expect(rows()).toEqual([])
  })
})

describe('an asynchronous generator function', () => {
  const countTo = async function* (last: number): AsyncGenerator<number, void, undefined> {
    for (let value = 1; value <= last; value += 1) {
      await nextTurn()
      machine.use(1)
      yield value
    }
  }

  it('is tracked from its first step to its last', async () => {
    const values: number[] = []
    for await (const value of trackEmissions(countTo, options)(3)) values.push(value)
    expect(values).toEqual([1, 2, 3])
    expect(joules()).toEqual([3])
  })

  it('has its row where it is left early', async () => {
    for await (const value of trackEmissions(countTo, options)(100)) if (value === 2) break
    expect(joules()).toEqual([2])
  })

  it('has its row where it throws', async () => {
    const fail = trackEmissions(async function* () {
      yield 1
      await nextTurn()
      throw new Error('no')
    }, options)
    const all = async (): Promise<void> => {
      for await (const value of fail()) expect(value).toBe(1)
    }
    await expect(all()).rejects.toThrow('no')
    expect(rows()).toHaveLength(1)
  })
})

describe('a wrapped function', () => {
  it('keeps its name, its length and its `this`', () => {
    const counter = {
      step: 2,
      advance: trackEmissions(function advance(this: { step: number }, from: number, times: number) {
        return from + this.step * times
      }, options),
    }
    expect(counter.advance.name).toBe('advance')
    expect(counter.advance).toHaveLength(2)
    expect(counter.advance(1, 3)).toBe(7)
  })

  it('tracks with the options that it was wrapped with', () => {
    trackEmissions(() => 1, { ...options, projectName: 'wrapped', countryIsoCode: 'CAN', offline: true })()
    expect(rows()).toMatchObject([{ project_name: 'wrapped', country_iso_code: 'CAN' }])
  })

  it('is made by options alone, too, for one function after the other', () => {
    const track = trackEmissions({ ...options, projectName: 'both' })
    expect(track((a: number) => a + 1)(1)).toBe(2)
    expect(track(() => 'x')()).toBe('x')
    expect(rows().map((row) => row['project_name'])).toEqual(['both', 'both'])
  })

  it('may call itself', () => {
    const factorial: (n: number) => number = trackEmissions(
      (n: number) => (n < 2 ? 1 : n * factorial(n - 1)),
      options,
    )
    expect(factorial(3)).toBe(6)
    expect(rows()).toHaveLength(3)
  })
})

describe('a decorated method', () => {
  it('is tracked, whatever its kind, and keeps its `this`, its name and its length', async () => {
    class Job {
      readonly #factor = 3

      @trackEmissions({ ...options, projectName: 'sync' })
      multiply(value: number): number {
        return value * this.#factor
      }

      @trackEmissions({ ...options, projectName: 'async' })
      async run(value: number): Promise<number> {
        await nextTurn()
        return value * this.#factor
      }

      @trackEmissions({ ...options, projectName: 'static' })
      static create(): Job {
        return new Job()
      }

      @trackEmissions({ ...options, projectName: 'steps' })
      *steps(): Generator<number> {
        yield this.#factor
      }
    }
    const job = Job.create()
    expect(job.multiply(2)).toBe(6)
    expect(await job.run(2)).toBe(6)
    expect([...job.steps()]).toEqual([3])
    expect(rows().map((row) => row['project_name'])).toEqual(['static', 'sync', 'async', 'steps'])
    expect([job.run.name, job.run.length]).toEqual(['run', 1])
  })

  it('needs no options', (context) => {
    for (const [name, value] of Object.entries({
      CODECARBON_OUTPUT_DIR: machine.outputDir,
      CODECARBON_LOG_LEVEL: 'error',
      CODECARBON_SYSFS_PATH: machine.options.sysfsPath,
    })) {
      vi.stubEnv(name, value)
    }
    context.onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    class Job {
      @trackEmissions
      double(value: number): number {
        machine.use(10)
        return 2 * value
      }
    }
    expect(new Job().double(4)).toBe(8)
    expect(joules()).toEqual([10])
  })
})
