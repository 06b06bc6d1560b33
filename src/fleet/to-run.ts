import { givenByUser } from '../core/emissions-data.ts'
import { grams, joules, ratio, seconds, toKilowattHours, type Grams, type Joules } from '../core/units.ts'
import type { Run, RunSci, Setting } from '../statement/run.ts'
import { toLocalTimestamp } from '../statement/scraped-from.ts'
import type { Labels, RunRecord } from './run-record.ts'

/** A run as statements know it, for the part of it that lies in the span. What has no series is unknown; a GPU that the run never had used nothing. */
export function toRun(record: RunRecord): Run {
  const { run = {}, target, ticks } = record
  const energy = given(record.sum('componentEnergy'), joules)
  const devices = record.sum('componentEnergy', ({ component }) => component !== 'overhead') ?? 0
  // Counters of components are without PUE, and what a file says of them is with it.
  const pue = energy !== undefined && devices > 0 ? energy / devices : 1
  const partOf = (component: string): Joules | undefined =>
    given(
      record.sum('componentEnergy', (own) => own['component'] === component),
      (value) => joules(value * pue),
    )
  const bound = (end: string): Joules | undefined =>
    given(
      record.sum('energyBound', (own) => own['bound'] === end),
      (value) => joules(value * pue),
    )
  const emissionsBound = (end: string): Grams | undefined =>
    given(
      record.sum('emissionsBound', (own) => own['bound'] === end),
      grams,
    )
  const emissions = given(record.sum('emissions', isOf('location')), grams)
  const embodied = given(record.sum('embodiedEmissions'), grams)
  // What a run used before the time to be told is not counted, and neither is how long it took.
  const began = record.isOlder ? ticks?.first : (record.fact('runStart') ?? ticks?.first)
  const duration =
    ticks === undefined || began === undefined || began >= ticks.last ? undefined : ticks.last - began
  const hasNoGpu = run['gpu_model'] === '' || run['gpu_model'] === undefined
  return {
    runId: run['run_id'],
    setting: settingOf(record, energy),
    scraped: { job: target['job'], instance: target['instance'] },
    timestamp: given(ticks?.last, (last) => toLocalTimestamp(last * 1000)),
    began: given(began, (first) => toLocalTimestamp(first * 1000)),
    duration: given(duration, seconds),
    energy,
    energyLow: bound('low'),
    energyHigh: bound('high'),
    cpuEnergy: partOf('cpu'),
    ramEnergy: partOf('ram'),
    gpuEnergy: partOf('gpu') ?? (hasNoGpu && energy !== undefined ? joules(0) : undefined),
    emissions,
    emissionsLow: emissionsBound('low'),
    emissionsHigh: emissionsBound('high'),
    measuredShare:
      devices > 0
        ? ratio((record.sum('componentEnergy', ({ method }) => method === 'measured') ?? 0) / devices)
        : undefined,
    waterLitres: record.sum('waterVolume'),
    marketEmissions: given(record.sum('emissions', isOf('market')), grams),
    embodied,
    // The endpoint has no interval of it.
    embodiedLow: undefined,
    embodiedHigh: undefined,
    sci: sciOf(record, emissions, embodied),
  }
}

const isOf =
  (basis: string) =>
  (own: Labels): boolean =>
    own['basis'] === basis

function settingOf(record: RunRecord, energy: Joules | undefined): Setting {
  const { run = {} } = record
  const text = (labels: Labels, name: string): string | undefined => labels[name] || undefined
  const build = record.factLabels('buildInfo')
  const water = record.sum('waterVolume')
  const source = text(record.factLabels('carbonIntensity', 'location'), 'source')
  const [cloudProvider, cloudRegion] = [text(run, 'cloud_provider'), text(run, 'cloud_region')]
  return {
    projectName: text(run, 'project_name'),
    countryName: undefined,
    countryIsoCode: text(run, 'country_iso_code'),
    region: undefined,
    cloudProvider,
    cloudRegion,
    onCloud: cloudProvider === undefined ? undefined : true,
    cpuModel: text(run, 'cpu_model'),
    cpuCount: undefined,
    gpuModel: text(run, 'gpu_model'),
    gpuCount: undefined,
    trackingMode: text(run, 'tracking_mode'),
    runtimeVersion: text(build, 'runtime'),
    codecarbonVersion: text(build, 'version'),
    pue: record.fact('pue'),
    wue:
      water === undefined || energy === undefined || energy === 0
        ? undefined
        : water / toKilowattHours(energy),
    intensitySource: source,
    intensityYear:
      source === givenByUser ? undefined : yearOf(record.fact('carbonIntensityTimestamp', 'location')),
    intensityBasis: undefined,
    embodiedSource: undefined,
  }
}

/** The year of a yearly figure, whose time is the first moment of it; a live figure has none. */
function yearOf(since: number | undefined): number | undefined {
  if (since === undefined) return undefined
  const year = new Date(since * 1000).getUTCFullYear()
  return Date.UTC(year) === since * 1000 ? year : undefined
}

/** Of the first unit where a run counts several: its emissions are the whole run's. */
function sciOf(
  record: RunRecord,
  emissions: Grams | undefined,
  embodied: Grams | undefined,
): RunSci | undefined {
  const [first] = record.labels('functionalUnits')
  const functionalUnit = first?.['unit_name']
  const functionalUnits = record.sum('functionalUnits', (own) => own === first)
  if (functionalUnit === undefined || !functionalUnits || emissions === undefined) return undefined
  return {
    functionalUnit,
    functionalUnits,
    gramsPerUnit: (emissions + (embodied ?? 0)) / functionalUnits,
    low: undefined,
    high: undefined,
  }
}

const given = <From, To>(value: From | undefined, to: (value: From) => To): To | undefined =>
  value === undefined ? undefined : to(value)
