import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  carbonIntensity,
  EmissionsTracker,
  type EmissionsData,
  type TrackerOptions,
} from '../../src/index.ts'
import { readTable } from '../fixtures/csv/table.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'
import { fakeMachine, type FakeMachine } from './fake-machine.ts'
import { listen } from './messages.ts'

const joulesPerKilowattHour = 3.6e6

/** The record of a run in which the package used 36 J and the memory 3.6 J. */
async function recordOfRun(options: TrackerOptions = {}, machine = fakeMachine()): Promise<EmissionsData> {
  const tracker = new EmissionsTracker({ ...machine.options, ...options }).start()
  machine.use(36)
  machine.use(3.6, 'dram')
  await tracker.stop()
  return tracker.finalEmissionsData ?? expect.fail('there is no record')
}

const component = (data: EmissionsData, name: string): EmissionsData['components'][number] =>
  data.components.find((entry) => entry.component === name) ?? expect.fail(`no component ${name}`)

describe('energy', () => {
  it('is what the counters moved by, in joules and kilowatt-hours', async () => {
    const data = await recordOfRun()
    expect(component(data, 'cpu')).toMatchObject({ method: 'measured', source: 'rapl' })
    expect(component(data, 'cpu').energyJoules).toBeCloseTo(36, 9)
    expect(component(data, 'ram').energyJoules).toBeCloseTo(3.6, 9)
    expect(data.cpuEnergy).toBeCloseTo(36 / joulesPerKilowattHour, 15)
    expect(data.energyConsumed).toBeCloseTo(39.6 / joulesPerKilowattHour, 15)
    const parts = [data.cpuEnergy, data.ramEnergy, data.gpuEnergy]
    expect(parts.reduce((sum: number, part) => sum + (part ?? 0), 0)).toBeCloseTo(
      data.energyConsumed ?? NaN,
      15,
    )
    expect(data.measuredShare).toBe(1)
    expect([data.energyLow, data.energyHigh]).toEqual([data.energyConsumed, data.energyConsumed])
    expect(data.problems).toEqual([])
  })

  it('divided by the duration is the power', async () => {
    const data = await recordOfRun()
    expect(data.cpuPower).toBeCloseTo(36 / data.duration, 6)
    expect(component(data, 'ram').powerWatts).toBe(data.ramPower)
  })

  it('is told by domain, those inside of others named as such', async () => {
    const data = await recordOfRun()
    expect(component(data, 'cpu').domains).toEqual([
      {
        domain: 'package-0',
        parent: undefined,
        method: 'measured',
        energyJoules: expect.closeTo(36, 9) as number,
      },
    ])
    expect(component(data, 'ram').domains.map(({ domain }) => domain)).toEqual(['dram-0'])
  })

  it('is part measured and part estimated where the memory has no counter of use', async () => {
    const data = await recordOfRun({ raplIncludeDram: false })
    const ram = component(data, 'ram')
    expect(ram).toMatchObject({ method: 'estimated', source: 'ram-estimate' })
    expect(ram.lowJoules).toBeLessThan(ram.energyJoules ?? 0)
    expect(ram.highJoules).toBeGreaterThan(ram.energyJoules ?? 0)
    expect(data.measuredShare).toBeCloseTo(36 / (36 + (ram.energyJoules ?? NaN)), 9)
    expect(data.energyLow).toBeLessThan(data.energyConsumed ?? 0)
  })

  it('is an estimate where the user gives the watts, and says so', async () => {
    const data = await recordOfRun({ forceCpuPower: 100, forceRamPower: 8 })
    expect(component(data, 'cpu')).toMatchObject({
      method: 'estimated',
      basis: expect.stringContaining('100 W') as string,
    })
    expect(component(data, 'ram').powerWatts).toBeCloseTo(8, 6)
    expect(data.measuredShare).toBe(0)
  })
})

describe('a counter that cannot be read in the middle of a run', () => {
  it('loses nothing and makes no jump', async () => {
    const machine = fakeMachine()
    const tracker = new EmissionsTracker(machine.options).start()
    machine.use(36)
    await tracker.flush()
    machine.breakCounter('no number\n')
    await tracker.flush()
    expect(component(tracker.emissionsData ?? expect.fail(), 'cpu').energyJoules).toBeCloseTo(36, 9)
    machine.use(36)
    await tracker.stop()
    const data = tracker.finalEmissionsData ?? expect.fail()
    expect(component(data, 'cpu').energyJoules).toBeCloseTo(72, 9)
    expect(data.problems).toEqual([
      expect.objectContaining({ code: 'ERR_PROBE_READ', subject: 'package-0', count: 2 }),
    ])
    const [problem] = data.problems
    expect(problem?.gap).toBeGreaterThan(0)
    expect(problem?.gap).toBeLessThanOrEqual(data.duration)
  })

  it.each([
    ['nothing', ''],
    ['an error', 'Input/output error\n'],
    ['more than its own range', '99999999999999\n'],
  ])('makes no jump where it shows %s', async (_, text) => {
    const machine = fakeMachine()
    const tracker = new EmissionsTracker(machine.options).start()
    machine.use(36)
    await tracker.flush()
    machine.breakCounter(text)
    await tracker.flush()
    machine.use(36)
    await tracker.stop()
    const { energyJoules = NaN } = component(tracker.finalEmissionsData ?? expect.fail(), 'cpu')
    expect(energyJoules).toBeLessThanOrEqual(72 + 1e-9)
    expect(energyJoules).toBeGreaterThanOrEqual(36 - 1e-9)
    expect(tracker.finalEmissionsData?.problems).not.toEqual([])
  })
})

describe('emissions', () => {
  it('are energy times the carbon intensity of the place', async () => {
    const data = await recordOfRun()
    const { gramsPerKwh, year, source } = carbonIntensity({ countryIsoCode: 'FRA' })
    expect(data.intensity).toMatchObject({ gramsPerKwh, year, source, quality: 'ok' })
    expect(data.emissions).toBeCloseTo(((data.energyConsumed ?? 0) * gramsPerKwh) / 1000, 15)
    expect(data.emissionsRate).toBeCloseTo((data.emissions ?? 0) / data.duration, 15)
    expect(data).toMatchObject({ countryIsoCode: 'FRA', countryName: 'France', onCloud: 'N' })
  })

  it('have an interval that follows from that of the energy', async () => {
    const data = await recordOfRun({ forceCpuPower: 100 })
    const factor = data.intensity.gramsPerKwh / 1000
    expect(data.emissionsLow).toBeCloseTo((data.energyLow ?? NaN) * factor, 15)
    expect(data.emissionsHigh).toBeCloseTo((data.energyHigh ?? NaN) * factor, 15)
  })

  it('are those of an intensity that the user gives', async () => {
    const data = await recordOfRun({ forceCarbonIntensityGCo2eKwh: 500 })
    expect(data.emissions).toBeCloseTo(((data.energyConsumed ?? 0) * 500) / 1000, 15)
    expect(data.intensity).toMatchObject({ gramsPerKwh: 500, source: 'given by the user' })
  })

  it('are 0, and not those of the country, at a given intensity of 0', async () => {
    const machine = fakeMachine()
    const data = await recordOfRun({ forceCarbonIntensityGCo2eKwh: 0 }, machine)
    expect(data.emissions).toBe(0)
    expect(data.energyConsumed).toBeGreaterThan(0)
    expect(readTable(join(machine.outputDir, 'emissions.csv'))[0]?.['emissions']).toBe('0')
  })

  it('are those of a state, a province or a cloud region', async () => {
    const intensityOf = async (options: TrackerOptions): Promise<EmissionsData> =>
      recordOfRun({ ...options, countryIsoCode: options.countryIsoCode })
    const quebec = await intensityOf({ countryIsoCode: 'CAN', region: 'Québec' })
    const canada = await intensityOf({ countryIsoCode: 'CAN' })
    expect(quebec.intensity.gramsPerKwh).toBeLessThan(canada.intensity.gramsPerKwh)
    expect(quebec.region).toBe('Quebec')
    const paris = await intensityOf({ cloudProvider: 'gcp', cloudRegion: 'europe-west9' })
    expect(paris).toMatchObject({ onCloud: 'Y', cloudProvider: 'gcp', cloudRegion: 'europe-west9' })
  })

  it('are those of the world where the country is unknown: a sentence with the nearest, and a flag', async () => {
    const messages = listen()
    const data = await recordOfRun({ countryIsoCode: 'FRX', logLevel: 'warning' })
    const world = carbonIntensity({}).gramsPerKwh
    expect(data.intensity.gramsPerKwh).toBe(world)
    expect(data.emissions).toBeCloseTo(((data.energyConsumed ?? 0) * world) / 1000, 15)
    expect(data).toMatchObject({ countryIsoCode: undefined, place: { foundBy: 'none' } })
    expect(data.problems).toEqual([
      expect.objectContaining({ code: 'ERR_PLACE_UNKNOWN', subject: 'countryIsoCode' }),
    ])
    expect(messages.stderr.filter((line) => line.includes('"FRX"'))).toEqual([
      expect.stringMatching(/WARNING.*did you mean [A-Z]{3}/),
    ])
  })

  it('are those of the world where no place is given, without a made-up country', async () => {
    const data = await recordOfRun({ countryIsoCode: undefined })
    expect(data).toMatchObject({
      countryIsoCode: undefined,
      countryName: undefined,
      place: { foundBy: 'none' },
    })
    expect(data.intensity.gramsPerKwh).toBe(carbonIntensity({}).gramsPerKwh)
  })
})

describe('the data centre', () => {
  it('multiplies every energy by its PUE, and emissions with it, but not power', async () => {
    const data = await recordOfRun({ pue: 1.5 })
    expect(data.pue).toBe(1.5)
    expect(component(data, 'cpu').energyJoules).toBeCloseTo(54, 9)
    expect(component(data, 'cpu').domains[0]?.energyJoules).toBeCloseTo(54, 9)
    expect(data.cpuEnergy).toBeCloseTo(54 / joulesPerKilowattHour, 15)
    expect(data.energyConsumed).toBeCloseTo((1.5 * 39.6) / joulesPerKilowattHour, 15)
    expect(data.emissions).toBeCloseTo(((data.energyConsumed ?? 0) * data.intensity.gramsPerKwh) / 1000, 15)
    expect(data.cpuPower).toBeCloseTo(36 / data.duration, 6)
    expect(data.measuredShare).toBe(1)
  })

  it('uses litres of water for each kilowatt-hour, PUE included', async () => {
    const data = await recordOfRun({ pue: 1.5, wue: 1.8 })
    expect(data.wue).toBe(1.8)
    expect(data.waterConsumed).toBeCloseTo(1.8 * (data.energyConsumed ?? NaN), 15)
    expect((await recordOfRun()).waterConsumed).toBe(0)
  })
})

describe('a machine of which little is known', () => {
  it('has no number where nobody can tell, rather than a 0', async () => {
    const nowhere = temporaryFolder()
    const machine: FakeMachine = fakeMachine()
    const data = await recordOfRun({ procfsPath: nowhere, sysfsPath: nowhere }, machine)
    expect(data.cpuUtilizationPercent).toBeUndefined()
    expect(data.ramTotalSize).toBeUndefined()
    expect(component(data, 'ram')).toMatchObject({ method: 'unmeasured', energyJoules: undefined })
    expect(component(data, 'cpu')).toMatchObject({ method: 'estimated' })
    expect(data.ramEnergy).toBeUndefined()
    const [row] = readTable(join(machine.outputDir, 'emissions.csv'))
    expect(row).toMatchObject({
      ram_energy: '',
      ram_power: '',
      ram_total_size: '',
      cpu_utilization_percent: '',
    })
    expect(data.problems).not.toEqual([])
  })
})

it('names the machine, the runtime and this package', async () => {
  const data = await recordOfRun({ projectName: 'digits', experimentId: 'e-1' })
  expect(data).toMatchObject({
    projectName: 'digits',
    experimentId: 'e-1',
    pythonVersion: `node ${process.version}`,
    cpuCount: 4,
    cpuModel: 'Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz',
    ramTotalSize: 16,
    ramUsedGb: 4,
    ramUtilizationPercent: 25,
    trackingMode: 'machine',
  })
  expect(data.codecarbonVersion).toMatch(/^\d+\.\d+\.\d+/)
  expect(data.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
})

it('of a process tree that the system does not tell of is unmeasured, and says why', async () => {
  const machine = fakeMachine()
  // The machine's files have no processes in them.
  const data = await recordOfRun({ trackingMode: 'process' }, machine)
  expect(data.energyConsumed).toBeUndefined()
  expect(data.problems).toMatchObject([{ code: 'ERR_UNMEASURED', subject: 'process tree' }])
  expect(data.problems[0]?.message).toContain(machine.options.procfsPath)
})

it('of a counter that cannot be read after the start is unmeasured, not zero', async () => {
  const machine = fakeMachine()
  const tracker = new EmissionsTracker({ ...machine.options, forceRamPower: 5 }).start()
  machine.breakCounter('garbage\n')
  const task = tracker.startTask('blind')
  const record = task.stop()
  await tracker.stop()
  const data = tracker.finalEmissionsData ?? expect.fail('there is no record')
  for (const figures of [data, record ?? expect.fail('there is no task')]) {
    expect(component(figures, 'cpu')).toMatchObject({ method: 'unmeasured', energyJoules: undefined })
    expect([figures.cpuEnergy, figures.cpuPower]).toEqual([undefined, undefined])
  }
})

it('estimates the memory that a container may use, not all of its host', async () => {
  const machine = fakeMachine()
  const cgroup = join(machine.options.sysfsPath, 'fs/cgroup')
  mkdirSync(cgroup, { recursive: true })
  writeFileSync(join(cgroup, 'memory.max'), `${4 * 2 ** 30}\n`)
  const data = await recordOfRun({ raplIncludeDram: false }, machine)
  expect(component(data, 'ram').basis).toBe('4.0 GiB of memory, the limit of this container, of 16.0 GiB')
})

describe('the embodied emissions', () => {
  it('are those of the kind of machine that its case says', async () => {
    const machine = fakeMachine()
    mkdirSync(join(machine.options.sysfsPath, 'class/dmi/id'), { recursive: true })
    writeFileSync(join(machine.options.sysfsPath, 'class/dmi/id/chassis_type'), '10\n')
    const { embodied, duration } = await recordOfRun({}, machine)
    expect(embodied).toMatchObject({
      reservedKg: 203,
      lifespanYears: 4,
      basis: 'a laptop, 203 kg, over 4 years',
    })
    expect(embodied?.kg).toBeCloseTo((203 * duration) / (4 * 365 * 86_400), 12)
  })

  it('are unknown where nothing says what the machine is, and the figure that the user gives', async () => {
    expect((await recordOfRun()).embodied).toBeUndefined()
    const given = await recordOfRun({
      embodiedEmissionsKg: 100,
      embodiedLifespanYears: 5,
      functionalUnits: 2,
    })
    expect(given.embodied).toMatchObject({ reservedKg: 100, lifespanYears: 5 })
    expect(given.sci).toMatchObject({ functionalUnit: 'unit', functionalUnits: 2 })
  })

  it('of a process whose share of the CPU time nobody can tell are unknown, and so is the SCI', async () => {
    const given = { embodiedEmissionsKg: 100, functionalUnits: 5, trackingMode: 'process' } as const
    const record = await recordOfRun(given)
    expect(record.embodied).toBeUndefined()
    expect(record.sci).toMatchObject({ functionalUnits: 5, gramsPerUnit: undefined })
  })
})

it('the emissions by contract stand beside those of the place', async () => {
  const record = await recordOfRun({ marketCarbonIntensityGCo2eKwh: 0, countryIsoCode: 'FRA' })
  expect(record.marketBased).toMatchObject({ gramsPerKwh: 0, kg: 0 })
  expect(record.emissions).toBeGreaterThan(0)
})
