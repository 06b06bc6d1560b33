import { embodiedOver, type Embodied } from './embodied.ts'
import type {
  ComponentRecord,
  EmbodiedRecord,
  EmissionsData,
  HostRecord,
  IntensityRecord,
  MarketRecord,
  PlaceRecord,
  SciRecord,
} from './emissions-data.ts'
import type { Estimate } from './estimate.ts'
import type { ProblemCount } from './problem.ts'
import type { Method, Reading } from './reading.ts'
import type { ScopeTotal } from './scope-totals.ts'
import {
  fromKilograms,
  gramsAt,
  powerOver,
  ratio,
  seconds,
  toKilograms,
  toKilowattHours,
  type Grams,
  type Joules,
  toYears,
  type Seconds,
  type Watts,
} from './units.ts'
import {
  countedComponents,
  mainMethod,
  measuredShare,
  totalEnergy,
  type CountedComponent,
  type Usage,
} from './usage.ts'

/** What does not change during a run. */
export interface RunFacts {
  readonly projectName: string
  readonly runId: string
  readonly experimentId: string
  readonly os: string
  readonly runtimeVersion: string
  readonly packageVersion: string
  readonly cpuCount: number | undefined
  readonly cpuModel: string | undefined
  /** Graphics processors there are; `undefined` where nobody could tell. */
  readonly gpuCount: number | undefined
  readonly gpuModel: string | undefined
  readonly ramTotalGibibytes: number | undefined
  readonly trackingMode: 'machine' | 'process'
  readonly pue: number
  readonly wue: number
  readonly place: PlaceRecord
  /** `undefined` where nobody can tell. */
  readonly embodied: Embodied | undefined
  /** gCO2e/kWh by contract, as the user tells. */
  readonly marketGramsPerKwh: number | undefined
  /** What functional units are called. */
  readonly functionalUnit: string
  readonly sources: readonly ComponentSource[]
  /** The meter of the whole host that the options name, while it tells nothing, and why. */
  readonly missingHost?: { readonly source: string; readonly reason: string } | undefined
}

/** What a component's figures come from. */
export interface ComponentSource {
  readonly component: CountedComponent
  readonly probe: string | undefined
  /** How the probe obtains its figures, which tells the method where no energy was used. */
  readonly method?: Method | undefined
  readonly basis: (() => string | undefined) | undefined
}

/** Means over the time of a record. */
export interface LoadMeans {
  readonly cpuUtilisation: number | undefined
  readonly memoryUtilisation: number | undefined
  readonly memoryUsedGibibytes: number | undefined
  readonly gpuUtilisation?: number | undefined
}

/** What a record is made of besides the facts of the run. */
export interface RecordInput {
  readonly wallMs: number
  readonly duration: Seconds
  readonly usage: Usage
  readonly load: LoadMeans
  readonly intensity: IntensityRecord
  readonly problems: readonly ProblemCount[]
  /** `undefined` where the record is of no whole machine. */
  readonly domains: readonly Reading[] | undefined
  /** Mean power of each domain over the last measurement. */
  readonly domainPower: Readonly<Record<string, Watts>>
  /** How many were counted; `undefined` where nobody counts. */
  readonly functionalUnits: number | undefined
  /** Jobs and requests by name. */
  readonly scopes?: readonly ScopeTotal[] | undefined
}

/** Makes a record. A pure function; PUE multiplies energies, emissions and water, not power. */
export function toEmissionsData(facts: RunFacts, input: RecordInput): EmissionsData {
  const { usage, duration, load, intensity } = input
  const { pue, wue, place } = facts
  const total = Object.keys(usage.energy).length > 0 ? totalEnergy(usage) : undefined
  const emissions = total === undefined ? undefined : usage.emissions
  const kilowattHours = (energy: Joules | undefined): number | undefined =>
    energy === undefined ? undefined : toKilowattHours(energy) * pue
  const kilograms = (mass: Grams | undefined): number | undefined =>
    mass === undefined ? undefined : toKilograms(mass) * pue
  const noGpu = facts.gpuCount === 0 ? 0 : undefined
  const energyOf = (component: CountedComponent): Joules | undefined => usage.energy[component]?.value
  const powerOf = (component: CountedComponent): number | undefined => powerIn(input, component)
  const consumed = kilowattHours(total?.value)
  const kg = kilograms(emissions?.value)
  const components = countedComponents.flatMap((component) => toComponent(component, facts, input))
  const embodied = toEmbodied(facts, input)

  return {
    timestamp: localTime(input.wallMs),
    projectName: facts.projectName,
    runId: facts.runId,
    experimentId: facts.experimentId,
    duration,
    emissions: kg,
    emissionsRate: kg !== undefined && duration > 0 ? kg / duration : undefined,
    cpuPower: powerOf('cpu'),
    gpuPower: powerOf('gpu') ?? noGpu,
    ramPower: powerOf('ram'),
    cpuEnergy: kilowattHours(energyOf('cpu')),
    gpuEnergy: kilowattHours(energyOf('gpu')) ?? noGpu,
    ramEnergy: kilowattHours(energyOf('ram')),
    energyConsumed: consumed,
    waterConsumed: consumed === undefined ? undefined : consumed * wue,
    countryName: place.countryName,
    countryIsoCode: place.countryIsoCode,
    region: place.region,
    cloudProvider: place.cloudProvider,
    cloudRegion: place.cloudRegion,
    os: facts.os,
    pythonVersion: facts.runtimeVersion,
    codecarbonVersion: facts.packageVersion,
    cpuCount: facts.cpuCount,
    cpuModel: facts.cpuModel,
    gpuCount: facts.gpuCount,
    gpuModel: facts.gpuModel,
    longitude: undefined,
    latitude: undefined,
    ramTotalSize: facts.ramTotalGibibytes,
    trackingMode: facts.trackingMode,
    cpuUtilizationPercent: percent(load.cpuUtilisation),
    gpuUtilizationPercent: percent(load.gpuUtilisation) ?? noGpu,
    ramUtilizationPercent: percent(load.memoryUtilisation),
    ramUsedGb: load.memoryUsedGibibytes,
    onCloud: place.cloudProvider === undefined ? 'N' : 'Y',
    pue,
    wue,
    emissionsLow: kilograms(emissions?.low),
    emissionsHigh: kilograms(emissions?.high),
    energyLow: kilowattHours(total?.low),
    energyHigh: kilowattHours(total?.high),
    measuredShare: measuredShare(usage),
    components,
    hosts: toHosts(facts, input),
    intensity: { ...intensity, gramsPerKwh: meanIntensity(intensity, total?.value, usage.emissions.value) },
    marketBased: toMarketBased(facts, total),
    embodied,
    sci: toSci(facts, input, emissions, embodied),
    place,
    problems: input.problems,
    scopes: input.scopes ?? [],
  }
}

function toHosts({ missingHost }: RunFacts, { domains, domainPower }: RecordInput): HostRecord[] {
  if (domains === undefined) return []
  const hosts = domains.filter(({ component, parent }) => component === 'host' && parent === undefined)
  const told = hosts.map(({ domain, probe, method, energy }) => ({
    domain,
    source: probe,
    method,
    energyJoules: energy,
    powerWatts: domainPower[domain],
  }))
  if (missingHost === undefined || hosts.some(({ probe }) => probe === missingHost.source)) return told
  const nothing = { method: 'unmeasured', energyJoules: undefined, powerWatts: undefined } as const
  return [...told, { domain: 'host', ...missingHost, ...nothing }]
}

/** Grams are counted with the intensity of each moment: what they come to over the energy, where that is another than the last one. */
function meanIntensity(
  { gramsPerKwh }: IntensityRecord,
  energy: Joules | undefined,
  emissions: Grams,
): number {
  if (energy === undefined || energy <= 0) return gramsPerKwh
  const mean = emissions / toKilowattHours(energy)
  return Math.abs(mean - gramsPerKwh) > 1e-9 * gramsPerKwh ? mean : gramsPerKwh
}

function toMarketBased(
  { marketGramsPerKwh, pue }: RunFacts,
  total: Estimate<Joules> | undefined,
): MarketRecord | undefined {
  if (marketGramsPerKwh === undefined || total === undefined) return undefined
  const kg = (energy: Joules): number => toKilograms(gramsAt(energy, marketGramsPerKwh)) * pue
  return {
    gramsPerKwh: marketGramsPerKwh,
    kg: kg(total.value),
    lowKg: kg(total.low),
    highKg: kg(total.high),
  }
}

/** A process tree whose share of the CPU time nobody could tell has an unknown part of the machine, not none. */
function toEmbodied(
  { embodied, trackingMode }: RunFacts,
  { usage }: RecordInput,
): EmbodiedRecord | undefined {
  if (embodied === undefined) return undefined
  if (trackingMode === 'process' && usage.energy.cpu === undefined) return undefined
  const { value, low, high } = embodiedOver(embodied, usage.machineTime)
  return {
    kg: toKilograms(value),
    lowKg: toKilograms(low),
    highKg: toKilograms(high),
    reservedKg: toKilograms(embodied.reserved.value),
    lifespanYears: toYears(embodied.lifespan),
    basis: embodied.basis,
    source: embodied.source,
  }
}

function toSci(
  { functionalUnit, pue }: RunFacts,
  { functionalUnits, usage }: RecordInput,
  emissions: Estimate<Grams> | undefined,
  embodied: EmbodiedRecord | undefined,
): SciRecord | undefined {
  if (functionalUnits === undefined) return undefined
  const perUnit = (operational: Grams | undefined, embodiedKg: number | undefined): number | undefined =>
    operational === undefined || embodiedKg === undefined || functionalUnits <= 0
      ? undefined
      : finite((operational * pue + fromKilograms(embodiedKg)) / functionalUnits)
  return {
    functionalUnit,
    functionalUnits,
    gramsPerUnit: perUnit(emissions?.value, embodied?.kg),
    low: perUnit(emissions?.low, embodied?.lowKg),
    high: perUnit(emissions?.high, embodied?.highKg),
    boundary: countedComponents.filter((component) => usage.energy[component] !== undefined),
  }
}

/** A share of next to nothing is no number. */
const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined)

/** Mean power over the part of the time of which the energy was told. */
function powerIn({ usage, duration }: RecordInput, component: CountedComponent): number | undefined {
  const use = usage.energy[component]
  if (use === undefined) return undefined
  const share = usage.time > 0 ? ratio(use.told / usage.time) : ratio(1)
  return powerOver(use.value, seconds(duration * share))
}

function toComponent(component: CountedComponent, facts: RunFacts, input: RecordInput): ComponentRecord[] {
  const source = facts.sources.find((entry) => entry.component === component)
  const use = input.usage.energy[component]
  if (use === undefined && source === undefined) return []
  const scaled = (energy: number | undefined): number | undefined =>
    energy === undefined ? undefined : energy * facts.pue
  const interval: Partial<Estimate<Joules>> = use ?? {}
  return [
    {
      component,
      method: use === undefined ? 'unmeasured' : (mainMethod(use) ?? source?.method ?? 'estimated'),
      source: source?.probe,
      basis: source?.basis?.(),
      energyJoules: scaled(interval.value),
      lowJoules: scaled(interval.low),
      highJoules: scaled(interval.high),
      powerWatts: powerIn(input, component),
      domains: (input.domains ?? [])
        .filter((reading) => reading.component === component)
        .map(({ domain, parent, method, energy }) => ({
          domain,
          parent,
          method,
          energyJoules: energy * facts.pue,
        })),
    },
  ]
}

const percent = (share: number | undefined): number | undefined =>
  share === undefined ? undefined : share * 100

function localTime(wallMs: number): string {
  const date = new Date(wallMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}
