import { describe, expect, test } from 'vitest'
import { toEmissionsData, type RecordInput, type RunFacts } from '../../src/core/to-emissions-data.ts'
import type { Reading } from '../../src/core/reading.ts'
import { Tally } from '../../src/core/tally.ts'
import { fromYears, grams, joules, seconds } from '../../src/core/units.ts'
import { noUsage, type Usage } from '../../src/core/usage.ts'

const facts: RunFacts = {
  projectName: 'train',
  runId: 'run',
  experimentId: 'experiment',
  os: 'Linux',
  runtimeVersion: 'node v20.20.2',
  packageVersion: '0.1.0',
  cpuCount: 8,
  cpuModel: 'a processor',
  gpuCount: undefined,
  gpuModel: undefined,
  ramTotalGibibytes: 16,
  trackingMode: 'machine',
  pue: 1,
  wue: 0,
  place: {
    countryName: 'France',
    countryIsoCode: 'FRA',
    region: undefined,
    cloudProvider: undefined,
    cloudRegion: undefined,
    foundBy: 'configuration',
  },
  embodied: undefined,
  marketGramsPerKwh: undefined,
  functionalUnit: 'unit',
  sources: [
    { component: 'cpu', probe: 'rapl', basis: () => 'hardware counters' },
    { component: 'ram', probe: 'ram-estimate', basis: () => '16.0 GiB of memory' },
  ],
}

/** 3.6 MJ measured by the processor and 0.9 MJ estimated for memory: 1 kWh and 0.25 kWh, at 100 g/kWh. */
function usage(): Usage {
  const tally = new Tally()
  tally.add({ component: 'cpu', method: 'measured', value: 3.6e6, low: 3.6e6, high: 3.6e6 }, 100)
  tally.add({ component: 'ram', method: 'estimated', value: 0.9e6, low: 0.45e6, high: 1.8e6 }, 100)
  for (const component of ['cpu', 'ram'] as const) {
    tally.tell(component, seconds(0))
    tally.tell(component, seconds(3600))
  }
  tally.pass(seconds(3600))
  tally.occupy(seconds(3600))
  return tally.usage()
}

const input = (more: Partial<RecordInput> = {}): RecordInput => ({
  domainPower: {},
  wallMs: new Date(2026, 0, 5, 7, 8, 9).getTime(),
  duration: seconds(3600),
  usage: usage(),
  load: { cpuUtilisation: 0.25, memoryUtilisation: 0.5, memoryUsedGibibytes: 8 },
  intensity: {
    gramsPerKwh: 100,
    scope: 'country',
    year: 2024,
    source: 'a table',
    basis: 'lifecycle',
    quality: 'ok',
  },
  problems: [],
  domains: [],
  functionalUnits: undefined,
  ...more,
})

describe('a record', () => {
  test('has the mean power of the time that was told, where a counter was out of reach for a while', () => {
    const tally = new Tally()
    tally.tell('cpu', seconds(0))
    tally.add({ component: 'cpu', method: 'measured', value: 200, low: 200, high: 200 }, 100)
    tally.tell('cpu', seconds(1))
    tally.pass(seconds(4))
    const record = toEmissionsData(facts, input({ usage: tally.usage(), duration: seconds(4) }))
    expect(record.cpuPower).toBe(200)
    expect(record.components[0]?.powerWatts).toBe(200)
  })

  test('has energies in kWh, powers in watts, emissions in kg and time in seconds', () => {
    const record = toEmissionsData(facts, input())
    expect(record.cpuEnergy).toBeCloseTo(1, 12)
    expect(record.ramEnergy).toBeCloseTo(0.25, 12)
    expect(record.energyConsumed).toBeCloseTo(1.25, 12)
    expect(record.cpuPower).toBeCloseTo(1000, 9)
    expect(record.ramPower).toBeCloseTo(250, 9)
    expect(record.emissions).toBeCloseTo(0.125, 12)
    expect(record.emissionsRate).toBeCloseTo(0.125 / 3600, 12)
    expect(record.duration).toBe(3600)
    expect(record.measuredShare).toBeCloseTo(1 / 1.25, 12)
  })

  test('carries the interval of energy and emissions', () => {
    const record = toEmissionsData(facts, input())
    expect([record.energyLow, record.energyHigh]).toEqual([1.125, 1.5])
    expect(record.emissionsLow).toBeCloseTo(0.1125, 12)
    expect(record.emissionsHigh).toBeCloseTo(0.15, 12)
  })

  test('multiplies energy, emissions and water with the PUE, and leaves powers as they are', () => {
    const plain = toEmissionsData(facts, input())
    const record = toEmissionsData({ ...facts, pue: 1.5, wue: 2 }, input())
    for (const key of [
      'cpuEnergy',
      'ramEnergy',
      'energyConsumed',
      'emissions',
      'emissionsHigh',
      'energyLow',
    ] as const) {
      expect(record[key]).toBeCloseTo((plain[key] ?? NaN) * 1.5, 12)
    }
    expect(record.waterConsumed).toBeCloseTo(1.25 * 1.5 * 2, 12)
    expect(record.cpuPower).toBe(plain.cpuPower)
    expect(record.components[0]).toMatchObject({ energyJoules: 3.6e6 * 1.5, powerWatts: 1000 })
  })

  test('is local time to the second', () => {
    expect(toEmissionsData(facts, input()).timestamp).toBe('2026-01-05T07:08:09')
  })

  test('shows utilisations in percent', () => {
    const record = toEmissionsData(facts, input())
    expect(record).toMatchObject({ cpuUtilizationPercent: 25, ramUtilizationPercent: 50, ramUsedGb: 8 })
  })

  test('is on the cloud where a provider is known', () => {
    const place = { ...facts.place, cloudProvider: 'aws' }
    expect(toEmissionsData(facts, input()).onCloud).toBe('N')
    expect(toEmissionsData({ ...facts, place }, input()).onCloud).toBe('Y')
  })
})

describe('beside the emissions of the place', () => {
  const embodied = {
    reserved: { value: grams(350_400), low: grams(175_200), high: grams(700_800) },
    lifespan: fromYears(4),
    basis: 'a server',
    source: 'a table',
  }

  test('stand those by the contract of the electricity, of the same energy, with PUE', () => {
    const record = toEmissionsData({ ...facts, pue: 2, marketGramsPerKwh: 10 }, input())
    expect(record.marketBased?.kg).toBeCloseTo((1.25 * 10 * 2) / 1000, 12)
    expect(record.marketBased?.lowKg).toBeCloseTo((1.125 * 10 * 2) / 1000, 12)
    expect(record.marketBased?.highKg).toBeCloseTo((1.5 * 10 * 2) / 1000, 12)
    expect(record.emissions).toBeCloseTo(0.125 * 2, 12)
  })

  test('stand none by contract where nobody tells of one, and zero where it says zero', () => {
    expect(toEmissionsData(facts, input()).marketBased).toBeUndefined()
    expect(toEmissionsData({ ...facts, marketGramsPerKwh: 0 }, input()).marketBased).toMatchObject({ kg: 0 })
  })

  test('stand those of making the machine, for this part of its life, without PUE', () => {
    // 350.4 kg over four years are 10 g an hour.
    const record = toEmissionsData({ ...facts, pue: 2, embodied }, input())
    expect(record.embodied).toMatchObject({ reservedKg: 350.4, lifespanYears: 4, basis: 'a server' })
    expect(record.embodied?.kg).toBeCloseTo(0.01, 12)
    expect(record.embodied?.lowKg).toBeCloseTo(0.005, 12)
    expect(record.embodied?.highKg).toBeCloseTo(0.02, 12)
  })

  test('stands the SCI: those of the place and those of making, by functional unit', () => {
    const counted = input({ functionalUnits: 50 })
    const all = { ...facts, embodied, marketGramsPerKwh: 0, functionalUnit: 'request' }
    const { sci } = toEmissionsData(all, counted)
    expect(sci).toMatchObject({ functionalUnit: 'request', functionalUnits: 50, boundary: ['cpu', 'ram'] })
    expect(sci?.gramsPerUnit).toBeCloseTo((125 + 10) / 50, 12)
    expect(sci?.low).toBeCloseTo((112.5 + 5) / 50, 12)
    expect(sci?.high).toBeCloseTo((150 + 20) / 50, 12)
  })

  test('stands no SCI of nothing, of an unknown part, or of an unmeasured run', () => {
    const all = { ...facts, embodied }
    expect(toEmissionsData(all, input()).sci).toBeUndefined()
    const unknown = { gramsPerUnit: undefined, low: undefined, high: undefined }
    expect(toEmissionsData(all, input({ functionalUnits: 0 })).sci).toMatchObject(unknown)
    expect(toEmissionsData(facts, input({ functionalUnits: 5 })).sci).toMatchObject(unknown)
    expect(toEmissionsData(all, input({ functionalUnits: 5, usage: noUsage })).sci).toMatchObject(unknown)
  })

  test('stand no embodied emissions of a process whose share of the CPU time nobody could tell', () => {
    const all = { ...facts, embodied, trackingMode: 'process' } as const
    const { cpu: _, ...energy } = usage().energy
    const record = toEmissionsData(all, input({ functionalUnits: 5, usage: { ...usage(), energy } }))
    expect([record.embodied, record.sci?.gramsPerUnit]).toEqual([undefined, undefined])
  })
})

describe('what is not known', () => {
  test('where nobody could tell anything, energy and emissions are unknown and not zero', () => {
    const record = toEmissionsData({ ...facts, sources: [] }, input({ usage: noUsage }))
    for (const key of [
      'emissions',
      'emissionsRate',
      'energyConsumed',
      'cpuEnergy',
      'cpuPower',
      'ramEnergy',
      'gpuEnergy',
      'waterConsumed',
      'emissionsLow',
      'energyHigh',
      'measuredShare',
    ] as const) {
      expect(record[key], key).toBeUndefined()
    }
    expect(record.components).toEqual([])
  })

  test('over no time there is energy, and neither a power nor a rate', () => {
    const record = toEmissionsData(facts, input({ duration: seconds(0) }))
    expect(record.energyConsumed).toBeCloseTo(1.25, 12)
    expect([record.cpuPower, record.emissionsRate]).toEqual([undefined, undefined])
  })

  test('a component that is there and that nobody measures is listed as unmeasured', () => {
    const sources = [...facts.sources, { component: 'gpu', probe: undefined, basis: undefined } as const]
    const record = toEmissionsData({ ...facts, gpuCount: 2, sources }, input())
    expect(record.gpuEnergy).toBeUndefined()
    expect(record.components.at(-1)).toEqual({
      component: 'gpu',
      method: 'unmeasured',
      source: undefined,
      basis: undefined,
      energyJoules: undefined,
      lowJoules: undefined,
      highJoules: undefined,
      powerWatts: undefined,
      domains: [],
    })
  })

  test('graphics processors that are known not to be there use nothing', () => {
    const record = toEmissionsData({ ...facts, gpuCount: 0 }, input())
    expect([record.gpuEnergy, record.gpuPower]).toEqual([0, 0])
    expect(record.components.map(({ component }) => component)).toEqual(['cpu', 'ram'])
  })
})

test('each component says how it was obtained, by what, and from which domains', () => {
  const reading = (domain: string, energy: number, more: Partial<Reading> = {}): Reading => ({
    domain,
    kind: 'package',
    component: 'cpu',
    method: 'measured',
    probe: 'rapl',
    energy: joules(energy),
    low: joules(energy),
    high: joules(energy),
    ...more,
  })
  const domains = [
    reading('package-0', 3.6e6),
    reading('core-0', 2e6, { kind: 'core', parent: 'package-0' }),
    reading('psys', 9e6, { kind: 'psys', component: 'host' }),
  ]
  const [cpu, ram] = toEmissionsData(facts, input({ domains })).components
  expect(cpu).toMatchObject({
    component: 'cpu',
    method: 'measured',
    source: 'rapl',
    basis: 'hardware counters',
    lowJoules: 3.6e6,
    highJoules: 3.6e6,
    domains: [
      { domain: 'package-0', parent: undefined, energyJoules: 3.6e6 },
      { domain: 'core-0', parent: 'package-0', energyJoules: 2e6 },
    ],
  })
  expect(ram).toMatchObject({
    method: 'estimated',
    source: 'ram-estimate',
    lowJoules: 0.45e6,
    highJoules: 1.8e6,
  })
})
