import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { EmissionsTracker, type EmissionsData, type Report, type TaskEmissionsData } from '../../src/index.ts'
import { upstreamTaskColumns } from '../fixtures/csv/columns.ts'
import { parseCells, readTable } from '../fixtures/csv/table.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'
import { fakeMachine, type FakeMachine } from './fake-machine.ts'
import { listen } from './messages.ts'

/** A running tracker on a fake machine; its tasks end up in `ended`. */
function running(options: object = {}): {
  machine: FakeMachine
  tracker: EmissionsTracker
  ended: TaskEmissionsData[]
} {
  const machine = fakeMachine()
  const ended: TaskEmissionsData[] = []
  const taskOut = (tasks: readonly TaskEmissionsData[]): void => void ended.push(...tasks)
  const tracker = new EmissionsTracker({ ...machine.options, outputHandlers: [{ taskOut }], ...options })
  return { machine, tracker: tracker.start(), ended }
}

const cpuJoules = (data: EmissionsData | undefined): number | undefined =>
  data?.components.find(({ component }) => component === 'cpu')?.energyJoules

const joulesOf = (data: EmissionsData | undefined): number =>
  data?.components.reduce((sum, { energyJoules = 0 }) => sum + energyJoules, 0) ?? NaN

describe('a task', () => {
  it('has the energy of its own time alone', async () => {
    const { machine, tracker } = running()
    machine.use(1)
    const task = tracker.startTask('epoch')
    machine.use(10)
    machine.use(5, 'dram')
    const data = task.stop()
    machine.use(100)
    await tracker.stop()
    expect(data).toMatchObject({ taskName: 'epoch', runId: tracker.finalEmissionsData?.runId })
    expect(cpuJoules(data)).toBeCloseTo(10, 9)
    expect(joulesOf(data)).toBeCloseTo(15, 9)
    expect(data?.duration).toBeLessThan(tracker.finalEmissionsData?.duration ?? 0)
    expect(cpuJoules(tracker.finalEmissionsData)).toBeCloseTo(111, 9)
  })

  it('of 50 ms is measured, and not lost between two measurements', async () => {
    const outputDir = temporaryFolder()
    const options = { outputDir, sysfsPath: outputDir, logLevel: 'error', countryIsoCode: 'FRA' } as const
    const tracker = new EmissionsTracker(options).start()
    const task = tracker.startTask('busy')
    const until = performance.now() + 50
    while (performance.now() < until);
    const data = task.stop()
    await tracker.stop()
    expect(data?.duration).toBeGreaterThanOrEqual(0.05)
    expect(data?.energyConsumed).toBeGreaterThan(0)
    expect(data?.emissions).toBeGreaterThan(0)
  })

  it('ends once', async () => {
    const { machine, tracker, ended } = running()
    const task = tracker.startTask('epoch')
    machine.use(10)
    expect(cpuJoules(task.stop())).toBeCloseTo(10, 9)
    expect(task.stop()).toBeUndefined()
    await tracker.stop()
    expect(task.stop()).toBeUndefined()
    expect(ended).toHaveLength(1)
  })

  it('that still runs at the end of the run ends with it', async () => {
    const { machine, tracker, ended } = running()
    const outer = tracker.startTask('outer')
    outer.startTask('inner')
    machine.use(10)
    await tracker.stop()
    expect(ended.map(({ taskName }) => taskName).toSorted()).toEqual(['inner', 'outer'])
    for (const data of ended) expect(cpuJoules(data)).toBeCloseTo(10, 9)
  })

  it('begun after the end of its run does no harm', async () => {
    const { tracker } = running()
    const task = tracker.startTask('outer')
    await tracker.stop()
    expect(task.startTask('late').stop()).toBeUndefined()
  })

  it('starts a tracker that does not run', async () => {
    const machine = fakeMachine()
    const tracker = new EmissionsTracker(machine.options)
    const task = tracker.startTask('epoch')
    machine.use(10)
    expect(cpuJoules(task.stop())).toBeCloseTo(10, 9)
    expect(await tracker.stop()).toBeGreaterThan(0)
  })

  it('has a name of its own where none is given', async () => {
    const { tracker } = running()
    const names = [tracker.startTask().name, tracker.startTask().name]
    expect(new Set(names).size).toBe(2)
    for (const name of names) expect(name).toMatch(/\S/)
    await tracker.stop()
  })

  it('has another name than one that is running', async () => {
    const { tracker } = running()
    const first = tracker.startTask('epoch')
    const second = tracker.startTask('epoch')
    expect(first.name).toBe('epoch')
    expect(second.name).not.toBe('epoch')
    expect(second.name).toMatch(/^epoch/)
    first.stop()
    second.stop()
    expect(tracker.startTask('epoch').name).toBe('epoch')
    await tracker.stop()
  })
})

describe('stopTask()', () => {
  it('ends the task of that name', async () => {
    const { tracker } = running()
    tracker.startTask('a')
    tracker.startTask('b')
    expect(tracker.stopTask('a')?.taskName).toBe('a')
    expect(tracker.stopTask('b')?.taskName).toBe('b')
    await tracker.stop()
  })

  it('ends one after the other of those that were given one name', async () => {
    const { tracker } = running()
    for (let count = 0; count < 3; count += 1) tracker.startTask('request')
    const ended = [1, 2, 3].map(() => tracker.stopTask('request')?.taskName)
    expect(new Set(ended)).toEqual(new Set(['request', 'request 2', 'request 3']))
    await tracker.stop()
  })

  it('ends the latest task where none is named', async () => {
    const { tracker } = running()
    for (const name of ['a', 'b']) tracker.startTask(name)
    expect([tracker.stopTask()?.taskName, tracker.stopTask()?.taskName]).toEqual(['b', 'a'])
    await tracker.stop()
  })

  it('is undefined and a warning where there is no such task', async () => {
    const { tracker } = running({ logLevel: 'warning' })
    const messages = listen()
    expect(tracker.stopTask('epoch')).toBeUndefined()
    expect(tracker.stopTask()).toBeUndefined()
    expect(messages.stderr).toEqual([
      expect.stringMatching(/WARNING.*"epoch"/),
      expect.stringMatching(/WARNING.*no task/),
    ])
    await tracker.stop()
  })
})

describe('task()', () => {
  it('returns what a synchronous function returns, and has ended by then', async () => {
    const { machine, tracker } = running()
    const result = tracker.task('sum', () => {
      machine.use(10)
      return 42
    })
    expectTypeOf(result).toEqualTypeOf<number>()
    expect(result).toBe(42)
    expect(tracker.stopTask('sum')).toBeUndefined()
    await tracker.stop()
  })

  it('awaits what an asynchronous function returns', async () => {
    const { machine, tracker, ended } = running()
    const result = await tracker.task('sum', async () => {
      machine.use(10)
      await Promise.resolve()
      machine.use(5)
      return 42
    })
    expectTypeOf(result).toEqualTypeOf<number>()
    machine.use(100)
    await tracker.stop()
    expect(result).toBe(42)
    expect(cpuJoules(ended[0])).toBeCloseTo(15, 9)
  })

  it('hands the record of the task to whoever asks for it, before the result, and whatever that does', async () => {
    const { machine, tracker } = running()
    const told: (number | undefined)[] = []
    const tell = (record: TaskEmissionsData): void => {
      told.push(cpuJoules(record))
      throw new Error('of no concern to the program')
    }
    const use = (joules: number): number => {
      machine.use(joules)
      return joules
    }
    expect(tracker.task('now', () => use(10), tell)).toBe(10)
    expect(told).toHaveLength(1)
    expect(await tracker.task('later', async () => Promise.resolve(use(5)), tell)).toBe(5)
    expect(() =>
      tracker.task(
        'fails',
        () => {
          throw new Error(`after ${use(3)} J`)
        },
        tell,
      ),
    ).toThrow('after 3 J')
    await tracker.stop()
    expect(told.map((joules) => Math.round(joules ?? 0))).toEqual([10, 5, 3])
  })

  it('awaits any thenable, as `await` does', async () => {
    const { machine, tracker, ended } = running()
    /** As queries of some database clients: nothing happens until somebody awaits them. */
    const query = (): PromiseLike<number> => ({
      // oxlint-disable-next-line unicorn/no-thenable -- what is tested
      then: (resolve) => {
        machine.use(10)
        return Promise.resolve(7).then(resolve)
      },
    })
    expect(await tracker.task('query', query)).toBe(7)
    await tracker.stop()
    expect(cpuJoules(ended[0])).toBeCloseTo(10, 9)
  })

  it.each([
    [
      'thrown',
      () => {
        throw new Error('no')
      },
    ],
    ['rejected with', () => Promise.reject(new Error('no'))],
  ])('lets an error pass that is %s, and ends', async (_, fail: () => unknown) => {
    const { machine, tracker, ended } = running()
    const failing = async (): Promise<void> => {
      machine.use(10)
      await tracker.task('fails', fail)
    }
    await expect(failing()).rejects.toThrow('no')
    machine.use(100)
    await tracker.stop()
    expect(ended.map(({ taskName }) => taskName)).toEqual(['fails'])
    expect(cpuJoules(ended[0])).toBeCloseTo(0, 9)
  })

  it('counts an inner task as part of the outer one, however it is begun', async () => {
    const { machine, tracker, ended } = running()
    await tracker.task('outer', async () => {
      machine.use(1)
      await tracker.task('inner', async () => {
        await Promise.resolve()
        machine.use(10)
      })
      const begun = tracker.startTask('begun')
      machine.use(100)
      begun.stop()
      machine.use(1000)
    })
    await tracker.stop()
    const byName = new Map(ended.map((data) => [data.taskName, cpuJoules(data)]))
    expect(byName.get('inner')).toBeCloseTo(10, 9)
    expect(byName.get('begun')).toBeCloseTo(100, 9)
    expect(byName.get('outer')).toBeCloseTo(1111, 9)
  })

  it('shares the energy of a time among the tasks that run in it', async () => {
    const { machine, tracker, ended } = running()
    let letGo = (): void => undefined
    const gate = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const long = tracker.task('long', () => gate)
    const short = tracker.task('short', async () => {
      machine.use(10)
      await Promise.resolve()
    })
    await short
    machine.use(100)
    letGo()
    await long
    await tracker.stop()
    const byName = new Map(ended.map((data) => [data.taskName, cpuJoules(data)]))
    expect(byName.get('short')).toBeCloseTo(5, 9)
    expect(byName.get('long')).toBeCloseTo(105, 9)
  })
})

describe('conservation', () => {
  it('holds: what tasks are given and what is left over make up the run', async () => {
    const { machine, tracker, ended } = running()
    let seed = 7
    const random = (): number => {
      seed = (seed * 16_807) % 2_147_483_647
      return seed / 2_147_483_647
    }
    const work = async (turns: number): Promise<void> => {
      for (let turn = 0; turn < turns; turn += 1) {
        machine.use(Math.round(random() * 1000) / 10)
        machine.use(Math.round(random() * 100) / 10, 'dram')
        await new Promise(setImmediate)
      }
    }
    const roots = Array.from({ length: 6 }, (_, index) =>
      tracker.task(`root ${index}`, async () => {
        await work(index)
        await Promise.all(['x', 'y'].map((name) => tracker.task(`${name} ${index}`, () => work(2))))
        await work(1)
      }),
    )
    await Promise.all(roots)
    await work(3)
    await tracker.stop()

    const unattributed = tracker.unattributed
    const ofRoots = ended.filter(({ taskName }) => taskName.startsWith('root'))
    const sum = (name: 'cpu' | 'ram'): number =>
      (unattributed?.energy[name]?.value ?? NaN) +
      ofRoots
        .flatMap(({ components }) => components.filter(({ component }) => component === name))
        .reduce((total, { energyJoules = NaN }) => total + energyJoules, 0)
    expect(ofRoots).toHaveLength(6)
    for (const name of ['cpu', 'ram'] as const) {
      const run = tracker.finalEmissionsData?.components.find(({ component }) => component === name)
      expect(run?.energyJoules).toBeGreaterThan(100)
      expect(Math.abs(sum(name) - (run?.energyJoules ?? NaN))).toBeLessThan(1e-9 * (run?.energyJoules ?? NaN))
    }
    const grams =
      (unattributed?.emissions.value ?? NaN) +
      ofRoots.reduce((total, { emissions = NaN }) => total + emissions * 1000, 0)
    expect(grams / 1000).toBeCloseTo(tracker.finalEmissionsData?.emissions ?? NaN, 15)
  })

  it('holds where no task ran at all: everything is left over', async () => {
    const { machine, tracker } = running()
    machine.use(12)
    await tracker.stop()
    expect(tracker.unattributed?.energy.cpu?.value).toBeCloseTo(12, 9)
  })
})

describe('the file of tasks', () => {
  it('has a row for each task, in columns of CodeCarbon', async () => {
    const { machine, tracker } = running({ experimentName: 'night', projectName: 'digits' })
    for (const name of ['load', 'train']) tracker.task(name, () => machine.use(10))
    await tracker.stop()
    const path = join(machine.outputDir, `emissions_night_${tracker.runId}.csv`)
    expect(parseCells(readFileSync(path, 'utf8'))[0]).toEqual(upstreamTaskColumns)
    const rows = readTable(path)
    expect(rows.map((row) => row['task_name'])).toEqual(['load', 'train'])
    for (const row of rows) {
      expect(row).toMatchObject({ project_name: 'digits', run_id: tracker.runId, country_iso_code: 'FRA' })
      expect(Number(row['cpu_energy'])).toBeCloseTo(10 / 3.6e6, 15)
    }
    expect(readTable(join(machine.outputDir, 'emissions.csv'))).toHaveLength(1)
  })

  it('has each task once, whatever is flushed in between', async () => {
    const { machine, tracker } = running()
    tracker.task('a', () => undefined)
    await tracker.flush()
    tracker.task('b', () => undefined)
    await tracker.flush()
    await tracker.stop()
    const path = join(machine.outputDir, `emissions_base_${tracker.runId}.csv`)
    expect(readTable(path).map((row) => row['task_name'])).toEqual(['a', 'b'])
  })

  it('is not there for a run without tasks', async () => {
    const { machine, tracker } = running()
    await tracker.stop()
    expect(readdirSync(machine.outputDir)).toEqual(['emissions.csv'])
  })

  it('has every one of thousands of tasks, in order', async () => {
    const { machine, tracker } = running()
    for (let index = 0; index < 2500; index += 1) tracker.task(`t${index}`, () => undefined)
    await tracker.stop()
    const path = join(machine.outputDir, `emissions_base_${tracker.runId}.csv`)
    expect(readTable(path).map((row) => row['task_name'])).toEqual(
      Array.from({ length: 2500 }, (_, index) => `t${index}`),
    )
  })
})

describe('functional units', () => {
  const given = { embodiedEmissionsKg: 350, functionalUnit: 'image' }

  it('are counted for a task, for all that it is part of, and for the run', async () => {
    const { tracker } = running(given)
    const outer = tracker.startTask('outer')
    const inner = outer.startTask('inner')
    inner.countFunctionalUnits(3)
    outer.countFunctionalUnits()
    tracker.countFunctionalUnits(0.5)
    expect(inner.stop()?.sci?.functionalUnits).toBe(3)
    expect(outer.stop()?.sci).toMatchObject({ functionalUnit: 'image', functionalUnits: 4 })
    await tracker.stop()
    expect(tracker.finalEmissionsData?.sci?.functionalUnits).toBe(4.5)
  })

  it('that are counted inside of task() are counted for it', async () => {
    const { tracker, ended } = running(given)
    await tracker.task('epoch', async () => {
      await Promise.resolve()
      tracker.countFunctionalUnits(7)
    })
    await tracker.stop()
    expect(ended[0]?.sci?.functionalUnits).toBe(7)
  })

  it('are those of the option where none are counted, for the run and for no task', async () => {
    const { tracker } = running({ ...given, functionalUnits: 12 })
    const task = tracker.startTask('epoch').stop()
    await tracker.stop()
    expect(task?.sci).toBeUndefined()
    expect(tracker.finalEmissionsData?.sci?.functionalUnits).toBe(12)
  })

  it('cannot be counted in a task that has ended', async () => {
    const { tracker } = running(given)
    const task = tracker.startTask('epoch')
    task.stop()
    task.countFunctionalUnits(5)
    await tracker.stop()
    expect(tracker.finalEmissionsData?.sci).toBeUndefined()
  })

  it.each([-1, Number.NaN, Infinity])(
    'cannot be %d, which counts nothing and throws nothing',
    async (count) => {
      const { tracker } = running(given)
      tracker.countFunctionalUnits(count)
      await tracker.stop()
      expect(tracker.finalEmissionsData?.sci).toBeUndefined()
    },
  )
})

it('the embodied emissions of concurrent tasks add up to those of the run', async () => {
  const { machine, tracker } = running({ embodiedEmissionsKg: 1000, embodiedLifespanYears: 0.1 })
  const tasks = [tracker.startTask('a'), tracker.startTask('b')]
  const until = performance.now() + 30
  while (performance.now() < until);
  machine.use(10)
  const parts = tasks.map((task) => task.stop()?.embodied?.kg ?? Number.NaN)
  const { embodied } = tracker.emissionsData ?? {}
  await tracker.stop()
  const alone = tracker.unattributed?.machineTime ?? Number.NaN
  const all = (parts[0] ?? 0) + (parts[1] ?? 0) + (1000 * alone) / (0.1 * 365 * 86_400)
  expect(all).toBeCloseTo(tracker.finalEmissionsData?.embodied?.kg ?? Number.NaN, 12)
  expect(all).toBeGreaterThanOrEqual(embodied?.kg ?? Number.NaN)
})

it('a chain of tasks that each begin the next one lets go of those that have ended', () => {
  const { tracker } = running({ embodiedEmissionsKg: 1, functionalUnit: 'step' })
  let task = tracker.startTask('first')
  for (let step = 0; step < 50; step += 1) {
    const next = task.startTask(`step ${step}`)
    task.stop()
    task = next
  }
  task.countFunctionalUnits(1)
  // Of those before it none is running any more, and none is counted for.
  expect(task.stop()?.sci?.functionalUnits).toBe(1)
  tracker.stopSync()
  expect(tracker.finalEmissionsData?.sci?.functionalUnits).toBe(1)
})

it('functional units of the reports in between add up to those of the run', async () => {
  const units: number[] = []
  const exporter = {
    name: 'adder',
    export: ({ delta }: Report): void => void units.push(delta.sci?.functionalUnits ?? 0),
  }
  const { tracker } = running({ embodiedEmissionsKg: 1, exporters: [exporter] })
  tracker.countFunctionalUnits(3)
  await tracker.flush()
  tracker.countFunctionalUnits(4)
  await tracker.flush()
  tracker.countFunctionalUnits(5)
  await tracker.stop()
  expect(units).toEqual([3, 4, 5])
})
