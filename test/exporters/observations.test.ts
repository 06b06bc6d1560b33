import { describe, expect, it } from 'vitest'
import type { RunView } from '../../src/core/exporter.ts'
import { metricTable, type MetricKey } from '../../src/exporters/metrics.ts'
import { observe, type Observation } from '../../src/exporters/observations.ts'
import { EmissionsTracker, type Exporter, type TrackerOptions } from '../../src/index.ts'
import { fakeMachine } from '../tracker/fake-machine.ts'

/** What a run on a fake machine shows: its package used 36 J and its memory 3.6 J. */
async function seen(options: TrackerOptions = {}): Promise<{ view: RunView; list: Observation[] }> {
  const machine = fakeMachine()
  let look: (() => RunView) | undefined
  const exporter: Exporter = { name: 'seer', open: (lookAt) => void (look = lookAt), export: () => undefined }
  const tracker = new EmissionsTracker({ ...machine.options, ...options, exporters: [exporter] }).start()
  machine.use(36)
  machine.use(3.6, 'dram')
  await tracker.stop()
  const view = look?.() ?? expect.fail('nobody may look')
  return { view, list: observe(view) }
}

const sumOf = (list: readonly Observation[], metric: MetricKey, basis?: string): number =>
  list
    .filter((one) => one.metric === metric && (basis === undefined || one.attributes['basis'] === basis))
    .reduce((sum, { value }) => sum + value, 0)

describe('what is seen of a run', () => {
  it('has no series twice, and no attribute that the table does not name', async () => {
    const { list } = await seen({
      pue: 1.5,
      wue: 2,
      marketCarbonIntensityGCo2eKwh: 5,
      embodiedEmissionsKg: 10,
      functionalUnits: 3,
    })
    const keys = list.map(({ metric, attributes }) =>
      JSON.stringify([metric, ...Object.entries(attributes).map(String).toSorted()]),
    )
    expect(new Set(keys).size).toBe(keys.length)
    for (const { metric, attributes, value } of list) {
      const known: readonly string[] = metricTable[metric].attributes
      expect(Object.keys(attributes).filter((name) => !known.includes(name))).toEqual([])
      expect(Number.isFinite(value)).toBe(true)
    }
  })

  it('adds up to the energy and the emissions of the record', async () => {
    const { view, list } = await seen({ pue: 1.5, marketCarbonIntensityGCo2eKwh: 5 })
    const { record } = view
    expect(sumOf(list, 'hwEnergy')).toBeCloseTo(39.6, 9)
    expect(sumOf(list, 'componentEnergy')).toBeCloseTo((record.energyConsumed ?? 0) * 3.6e6, 9)
    expect(sumOf(list, 'emissions', 'location')).toBeCloseTo((record.emissions ?? 0) * 1000, 12)
    expect(sumOf(list, 'emissions', 'market')).toBeCloseTo((record.marketBased?.kg ?? 0) * 1000, 12)
    expect(sumOf(list, 'unattributedEnergy')).toBeCloseTo(39.6, 9)
  })

  it('says that a meter of the host which the options name is not there', async () => {
    const { list } = await seen({ redfishUrl: 'https://bmc.example', offline: true })
    expect(list.filter(({ metric }) => metric === 'sourceUp')).toContainEqual({
      metric: 'sourceUp',
      value: 0,
      attributes: { component: 'host', source: 'redfish' },
    })
  })

  it('has the whole share measured where counters were read, and names how', async () => {
    const { list } = await seen()
    expect(list).toContainEqual({ metric: 'measured', value: 1, attributes: { component: 'cpu' } })
    const cpu = list.find(
      ({ metric, attributes }) => metric === 'hwEnergy' && attributes['hw.type'] === 'cpu',
    )
    expect(cpu?.attributes).toEqual({
      'hw.id': 'rapl:package-0',
      'hw.type': 'cpu',
      'hw.name': 'package-0',
      'codecarbon.method': 'rapl',
    })
  })

  it('has what the meter costs, how often it is to measure and how often counters wrapped', async () => {
    const { view, list } = await seen({ measurePowerSecs: 4 })
    const valueOf = (metric: MetricKey): number | undefined =>
      list.find((entry) => entry.metric === metric)?.value
    expect(valueOf('measurementInterval')).toBe(4)
    expect(valueOf('selfMemory')).toBeGreaterThan(10e6)
    expect(valueOf('selfCpu')).toBeGreaterThan(0)
    const own = valueOf('selfEnergy') ?? expect.fail('no energy of its own')
    expect(own).toBeGreaterThan(0)
    expect(own).toBeLessThanOrEqual(view.used.energy.cpu?.value ?? 0)
    const wraps = list.filter(({ metric }) => metric === 'counterWraps')
    expect(wraps.map(({ value, attributes }) => [attributes, value])).toEqual(
      ['package-0', 'dram-0'].toSorted().flatMap((source) => [
        [{ source, certainty: 'sure' }, 0],
        [{ source, certainty: 'suspected' }, 0],
      ]),
    )
  })

  it('has the limits of devices that have one', async () => {
    const { list } = await seen({ forceCpuPower: 65, forceRamPower: 5 })
    expect(list.filter(({ metric }) => metric === 'devicePowerLimit')).toEqual([
      {
        metric: 'devicePowerLimit',
        value: 65,
        attributes: { 'hw.id': 'cpu-estimate:cpu', 'hw.type': 'cpu', 'hw.name': 'cpu' },
      },
    ])
  })

  it('has the CPU time of a process tree', async () => {
    const { view, list } = await seen({ trackingMode: 'process', procfsPath: '/proc' })
    const cpu = list.find(({ metric }) => metric === 'processCpu')
    expect(cpu?.value).toBe((view.process?.machineTime ?? NaN) * (view.record.cpuCount ?? NaN))
  })

  it('has nothing of what nobody tells: no contract, no functional units, no water', async () => {
    const { list } = await seen()
    const absent: readonly MetricKey[] = [
      'sci',
      'functionalUnits',
      'waterVolume',
      'embodiedEmissions',
      'processEnergy',
    ]
    expect(list.filter(({ metric }) => absent.includes(metric))).toEqual([])
    expect(list.filter(({ attributes }) => attributes['basis'] === 'market')).toEqual([])
  })
})

describe('looking', () => {
  it('shows the same for a second, however often somebody looks', () => {
    const machine = fakeMachine()
    let look: (() => RunView) | undefined
    const exporter: Exporter = {
      name: 'seer',
      open: (lookAt) => void (look = lookAt),
      export: () => undefined,
    }
    const tracker = new EmissionsTracker({ ...machine.options, exporters: [exporter] }).start()
    const first = look?.()
    machine.use(1000)
    tracker.startTask('reads the hardware').stop()
    expect(look?.()).toBe(first)
    tracker.stopSync()
  })
})
