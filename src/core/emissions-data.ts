import type { ProblemCount } from './problem.ts'
import type { Method } from './reading.ts'
import type { ScopeTotal } from './scope-totals.ts'
import type { CountedComponent } from './usage.ts'

/**
 * The record of a run or a task. The first fields are the columns of CodeCarbon's `emissions.csv` under their names in camelCase and with
 * its units; `undefined` is unknown, never zero.
 */
export interface EmissionsData {
  /** Local time of the record, `YYYY-MM-DDTHH:MM:SS`. */
  readonly timestamp: string
  readonly projectName: string
  readonly runId: string
  readonly experimentId: string
  /** Seconds since the start. */
  readonly duration: number
  /** kg CO2eq. */
  readonly emissions: number | undefined
  /** kg CO2eq per second, mean. */
  readonly emissionsRate: number | undefined
  /** Mean watts, without PUE. */
  readonly cpuPower: number | undefined
  readonly gpuPower: number | undefined
  readonly ramPower: number | undefined
  /** kWh, with PUE. */
  readonly cpuEnergy: number | undefined
  readonly gpuEnergy: number | undefined
  readonly ramEnergy: number | undefined
  /** kWh of all components that could be told, with PUE. */
  readonly energyConsumed: number | undefined
  /** Litres. */
  readonly waterConsumed: number | undefined
  readonly countryName: string | undefined
  readonly countryIsoCode: string | undefined
  readonly region: string | undefined
  readonly cloudProvider: string | undefined
  readonly cloudRegion: string | undefined
  readonly os: string
  /** Version of the runtime, such as `node v20.20.2`. */
  readonly pythonVersion: string
  readonly codecarbonVersion: string
  /** Logical CPUs. */
  readonly cpuCount: number | undefined
  readonly cpuModel: string | undefined
  readonly gpuCount: number | undefined
  readonly gpuModel: string | undefined
  readonly longitude: number | undefined
  readonly latitude: number | undefined
  /** GiB. */
  readonly ramTotalSize: number | undefined
  readonly trackingMode: 'machine' | 'process'
  /** Means of the machine over the run, 0 to 100. */
  readonly cpuUtilizationPercent: number | undefined
  readonly gpuUtilizationPercent: number | undefined
  readonly ramUtilizationPercent: number | undefined
  /** Mean GiB in use on the machine. */
  readonly ramUsedGb: number | undefined
  readonly onCloud: 'Y' | 'N'
  readonly pue: number
  /** Litres per kWh. */
  readonly wue: number

  /** kg CO2eq: ends of the interval around `emissions`. */
  readonly emissionsLow: number | undefined
  readonly emissionsHigh: number | undefined
  /** kWh: ends of the interval around `energyConsumed`. */
  readonly energyLow: number | undefined
  readonly energyHigh: number | undefined
  /** Share of the energy that hardware counters told, 0 to 1. */
  readonly measuredShare: number | undefined
  readonly components: readonly ComponentRecord[]
  /** Meters of the whole host, which hold what the components use and more: shown, never added. Empty in a task's record. */
  readonly hosts: readonly HostRecord[]
  readonly intensity: IntensityRecord
  /** The same energy as it was bought, beside `emissions`, which are always those of the place; where the user tells of it. */
  readonly marketBased: MarketRecord | undefined
  /** What making the machine emitted, for this time of its life; `undefined` where nobody can tell. It is not part of `emissions`. */
  readonly embodied: EmbodiedRecord | undefined
  /** Software Carbon Intensity, where functional units were counted. */
  readonly sci: SciRecord | undefined
  readonly place: PlaceRecord
  /** What went wrong, and for how long. */
  readonly problems: readonly ProblemCount[]
  /** Jobs, requests and other scopes that have ended, by name; empty in a record of a task. */
  readonly scopes?: readonly ScopeTotal[]
}

/** The record of a task. */
export interface TaskEmissionsData extends EmissionsData {
  readonly taskName: string
  /** The name as it was asked for, which tasks that run at the same time may share. */
  readonly givenTaskName: string
}

/** One component: how much, how it was obtained, and by what. Energies include PUE, power does not. */
export interface ComponentRecord {
  readonly component: CountedComponent
  /** `unmeasured` where it is there and nobody could tell. */
  readonly method: Method | 'unmeasured'
  /** Name of the probe. */
  readonly source: string | undefined
  /** What the figure stands on, in words. */
  readonly basis: string | undefined
  readonly energyJoules: number | undefined
  readonly lowJoules: number | undefined
  readonly highJoules: number | undefined
  readonly powerWatts: number | undefined
  /** The domains read for it, each since the start of the run; empty in a task's record. */
  readonly domains: readonly DomainRecord[]
}

/** A meter of the whole host, since the start of the run; without PUE. */
export interface HostRecord {
  readonly domain: string
  readonly source: string
  readonly method: Method | 'unmeasured'
  /** `undefined` where a meter that the options name has told nothing. */
  readonly energyJoules: number | undefined
  /** Mean watts over the last measurement; `undefined` where nobody told them then. */
  readonly powerWatts: number | undefined
  /** Why it has told nothing. */
  readonly reason?: string | undefined
}

/** One domain of a component. A domain with a `parent` is part of that one's energy. */
export interface DomainRecord {
  readonly domain: string
  readonly parent: string | undefined
  readonly method: Method
  readonly energyJoules: number
}

/** The carbon intensity that emissions were made with; where it changed, `gramsPerKwh` is the mean over the energy. */
export interface IntensityRecord {
  readonly gramsPerKwh: number
  /** What it is the intensity of: `zone` is a zone of Electricity Maps, which `source` names; `given` where the user told it. */
  readonly scope: 'cloud region' | 'zone' | 'region' | 'country' | 'world' | 'given'
  readonly year: number | undefined
  readonly source: string
  readonly basis: string
  readonly quality: string
  /** Beginning of the time that a live figure is about, in milliseconds since 1970. */
  readonly observedAtMs?: number | undefined
}

/** Emissions by the contracts that electricity was bought with (GHG Protocol, Scope 2 Guidance). */
export interface MarketRecord {
  /** As the user gave it. */
  readonly gramsPerKwh: number
  /** kg CO2eq, with PUE, and the ends of its interval. */
  readonly kg: number
  readonly lowKg: number
  readonly highKg: number
}

/** Embodied emissions of a time. */
export interface EmbodiedRecord {
  /** kg CO2eq of this time, and the ends of its interval. */
  readonly kg: number
  readonly lowKg: number
  readonly highKg: number
  /** kg CO2eq of the whole life, of the part of the machine that is reserved. */
  readonly reservedKg: number
  readonly lifespanYears: number
  /** What the figure stands on, in words. */
  readonly basis: string
  readonly source: string
}

/**
 * Software Carbon Intensity, (E × I + M) / R (ISO/IEC 21031:2024): operational emissions of the place and embodied emissions by functional
 * unit. Market-based figures and offsets have no part in it.
 */
export interface SciRecord {
  /** What is counted: `request`. */
  readonly functionalUnit: string
  readonly functionalUnits: number
  /** gCO2eq by functional unit, and the ends of its interval; `undefined` where a part of the sum is unknown, and of no units. */
  readonly gramsPerUnit: number | undefined
  readonly low: number | undefined
  readonly high: number | undefined
  /** The software boundary: components whose energy is in it. */
  readonly boundary: readonly string[]
}

/** The source of a figure that nobody but the user stands for. */
export const givenByUser = 'given by the user'

/** Where the machine was taken to be, and which step found it. */
export interface PlaceRecord {
  readonly countryName: string | undefined
  readonly countryIsoCode: string | undefined
  readonly region: string | undefined
  readonly cloudProvider: string | undefined
  readonly cloudRegion: string | undefined
  readonly foundBy: string
  /** Which of several sources of that step, for people. */
  readonly toldBy?: string | undefined
}
