import { grams, intensityOf, joules, ratio, seconds } from '../core/units.ts'
import type { Grams, Joules, Ratio, Seconds } from '../core/units.ts'
import type { Run, RunSci, Setting } from './run.ts'

/** A sum over the runs that know the quantity. */
export interface Known<T extends number> {
  /** `undefined` where no run knows it. */
  readonly value: T | undefined
  /** Runs that know it. */
  readonly runs: number
}

/** The ends of an interval. */
export interface Interval<T extends number> {
  readonly low: T
  readonly high: T
}

/** Share of the energy that hardware counters told. */
export interface MeasuredShare {
  readonly share: Ratio
  /** Share of all the energy for which that is known. */
  readonly ofEnergy: Ratio
}

/** Several runs added up. */
export interface Sums {
  readonly runs: number
  readonly duration: Known<Seconds>
  /** With PUE; a run without it is unmeasured, and its time counts all the same. */
  readonly energy: Known<Joules>
  /** Sum of the ends, `undefined` unless every run with an energy has them: errors of runs on one machine do not cancel out. */
  readonly energyInterval: Interval<Joules> | undefined
  readonly components: Readonly<Record<ComponentName, ComponentSum>>
  readonly emissions: Known<Grams>
  readonly emissionsInterval: Interval<Grams> | undefined
  readonly measured: MeasuredShare | undefined
  /** gCO2eq/kWh: emissions by energy, over the runs that know both. */
  readonly carbonIntensity: number | undefined
  /** Water for cooling, of the runs that were given a WUE. */
  readonly waterLitres: Known<number>
  /** By the contracts of the electricity. */
  readonly marketEmissions: Known<Grams>
  /** Of making the machines; no part of `emissions`. */
  readonly embodied: Known<Grams>
  readonly embodiedInterval: Interval<Grams> | undefined
  /** By functional unit, that of most runs first. */
  readonly sci: readonly SciSum[]
  /** Timestamps of the first and the last run. */
  readonly period: Period | undefined
  /** Runs by what they were done with. */
  readonly settings: ReadonlyMap<Setting, number>
}

/** Parts of a run's energy, in the order in which they are told. */
export const componentNames = ['cpu', 'ram', 'gpu'] as const
/** One of {@link componentNames}. */
export type ComponentName = (typeof componentNames)[number]

/** Software Carbon Intensity over the runs that count the same unit. */
export interface SciSum {
  readonly functionalUnit: string
  readonly functionalUnits: number
  readonly gramsPerUnit: number
  /** `undefined` unless all of these runs have one. */
  readonly interval: Interval<number> | undefined
  readonly runs: number
}

/** The energy of one component. */
export interface ComponentSum {
  readonly energy: Joules | undefined
  /** Runs that have an energy, but not this part of it. */
  readonly unknownRuns: number
}

/** Local times, `YYYY-MM-DDTHH:MM:SS`. */
export interface Period {
  readonly first: string
  readonly last: string
}

/** Adds runs up, one after another. */
export interface Adder {
  add(run: Run): void
  sums(): Sums
}

/** Starts at no runs at all. */
export function createAdder(): Adder {
  const sums = Object.fromEntries(quantities.map((name) => [name, { value: 0, runs: 0 }])) as Totals
  const unknownRuns = { cpu: 0, ram: 0, gpu: 0 }
  const paired = { joules: 0, grams: 0 }
  const measured = { joules: 0, known: 0 }
  const water = { value: 0, runs: 0 }
  const settings = new Map<Setting, number>()
  const sci = new Map<string, SciTotal>()
  let period: Period | undefined
  let runs = 0

  return {
    add(run) {
      const { energy, emissions, setting } = run
      runs += 1
      for (const name of quantities) addTo(sums[name], run[name])
      settings.set(setting, (settings.get(setting) ?? 0) + 1)
      period = widened(widened(period, run.began), run.timestamp)
      if (setting.wue !== undefined && setting.wue > 0) addTo(water, run.waterLitres)
      if (run.sci !== undefined) addSci(sci, run.sci)
      if (energy === undefined) return
      for (const name of componentNames) if (run[`${name}Energy`] === undefined) unknownRuns[name] += 1
      if (emissions !== undefined) {
        paired.joules += energy
        paired.grams += emissions
      }
      if (run.measuredShare !== undefined) {
        measured.joules += energy * run.measuredShare
        measured.known += energy
      }
    },
    sums: () => ({
      runs,
      duration: known(sums.duration, seconds),
      energy: known(sums.energy, joules),
      energyInterval: interval(sums.energy, sums.energyLow, sums.energyHigh, joules),
      components: {
        cpu: { energy: known(sums.cpuEnergy, joules).value, unknownRuns: unknownRuns.cpu },
        ram: { energy: known(sums.ramEnergy, joules).value, unknownRuns: unknownRuns.ram },
        gpu: { energy: known(sums.gpuEnergy, joules).value, unknownRuns: unknownRuns.gpu },
      },
      emissions: known(sums.emissions, grams),
      emissionsInterval: interval(sums.emissions, sums.emissionsLow, sums.emissionsHigh, grams),
      measured:
        measured.known === 0
          ? undefined
          : {
              share: ratio(measured.joules / measured.known),
              ofEnergy: ratio(measured.known / sums.energy.value),
            },
      carbonIntensity: intensityOf(grams(paired.grams), joules(paired.joules)),
      waterLitres: known(water, Number),
      marketEmissions: known(sums.marketEmissions, grams),
      embodied: known(sums.embodied, grams),
      embodiedInterval: interval(sums.embodied, sums.embodiedLow, sums.embodiedHigh, grams),
      sci: [...sci]
        .map(([functionalUnit, { grams: mass, low, high, units, runs: count }]) => ({
          functionalUnit,
          functionalUnits: units,
          gramsPerUnit: mass / units,
          interval: Number.isNaN(low + high) ? undefined : { low: low / units, high: high / units },
          runs: count,
        }))
        .toSorted((one, other) => other.runs - one.runs),
      period,
      settings,
    }),
  }
}

const quantities = [
  ...(['duration', 'energy', 'energyLow', 'energyHigh', 'cpuEnergy', 'ramEnergy', 'gpuEnergy'] as const),
  ...(['emissions', 'emissionsLow', 'emissionsHigh', 'marketEmissions'] as const),
  ...(['embodied', 'embodiedLow', 'embodiedHigh'] as const),
] as const

interface Total {
  value: number
  runs: number
}
type Totals = Record<(typeof quantities)[number], Total>

function addTo(total: Total, value: number | undefined): void {
  if (value === undefined) return
  total.value += value
  total.runs += 1
}

/** Its ends are not a number where a run has none. */
interface SciTotal {
  grams: number
  low: number
  high: number
  units: number
  runs: number
}

function addSci(
  sums: Map<string, SciTotal>,
  { functionalUnit, functionalUnits, gramsPerUnit, low, high }: RunSci,
): void {
  if (functionalUnits <= 0) return
  const sum = sums.get(functionalUnit) ?? { grams: 0, low: 0, high: 0, units: 0, runs: 0 }
  sum.grams += gramsPerUnit * functionalUnits
  sum.low += (low ?? Number.NaN) * functionalUnits
  sum.high += (high ?? Number.NaN) * functionalUnits
  sum.units += functionalUnits
  sum.runs += 1
  sums.set(functionalUnit, sum)
}

const known = <T extends number>({ value, runs }: Total, unit: (value: number) => T): Known<T> => ({
  value: runs === 0 ? undefined : unit(value),
  runs,
})

function interval<T extends number>(
  middle: Total,
  low: Total,
  high: Total,
  unit: (value: number) => T,
): Interval<T> | undefined {
  const isWhole = middle.runs > 0 && low.runs === middle.runs && high.runs === middle.runs
  return isWhole ? { low: unit(low.value), high: unit(high.value) } : undefined
}

function widened(period: Period | undefined, timestamp: string | undefined): Period | undefined {
  if (timestamp === undefined) return period
  if (period === undefined) return { first: timestamp, last: timestamp }
  if (timestamp < period.first) return { ...period, first: timestamp }
  return timestamp > period.last ? { ...period, last: timestamp } : period
}
