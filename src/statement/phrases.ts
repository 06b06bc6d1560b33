import { toHours } from '../core/units.ts'
import { formatEnergy, formatMass, formatRange, formatShare } from '../exporters/text/quantity.ts'
import type { Counted, Cpu, Gpu, IntensitySource, Place, Software } from './circumstances.ts'
import type { Grouping } from './ledger.ts'
import type { Statement } from './statement.ts'
import { componentNames, type ComponentName, type Interval, type Sums } from './sums.ts'

/** Pieces of sentences that the formats for people share. They hold text from files, which each format escapes in its own way. */

/** `1 run`, `3 runs`. */
export const counted = (count: number, one: string): string => `${count} ${count === 1 ? one : `${one}s`}`

/** `a`, `a and b`, `a, b and c`. */
export const listed = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`

/** `3 runs of digits`, `3 runs of 2 projects`, or of none that has a name. */
export function runsOf({ total, groups, by }: Statement): string {
  const runs = counted(total.runs, 'run')
  const { many, before } = groupWords[by]
  if (groups.length > 1) return `${runs} ${before} ${groups.length} ${many}`
  const name = groups[0]?.name
  return name === undefined ? runs : `${runs} ${before} ${name}`
}

/** What groups of runs are called. */
export const groupWords: Readonly<
  Record<Grouping, { readonly one: string; readonly many: string; readonly before: string }>
> = {
  project: { one: 'project', many: 'projects', before: 'of' },
  country: { one: 'country', many: 'countries', before: 'in' },
  instance: { one: 'instance', many: 'instances', before: 'on' },
  job: { one: 'job', many: 'jobs', before: 'of' },
  none: { one: 'group', many: 'groups', before: 'of' },
}

/** What a group is called; the runs that name none have a name too. */
export const nameOf = (name: string | undefined, by: Grouping): string => name ?? `(no ${groupWords[by].one})`

/** `1.2 kWh`, or `unmeasured`. */
export const energyOf = ({ energy }: Sums): string =>
  energy.value === undefined ? 'unmeasured' : formatEnergy(energy.value)

/** `0.9 to 1.5 kWh`; `undefined` where it is unknown, or a point. */
export function energyRangeOf({ energy, energyInterval: interval }: Sums): string | undefined {
  if (interval === undefined || !isWide(interval)) return undefined
  return formatRange(interval.low, interval.high, 'energy', energy.value)
}

/** `53 g CO2eq`, or `unknown`. */
export const emissionsOf = ({ emissions }: Sums): string =>
  emissions.value === undefined ? 'unknown' : `${formatMass(emissions.value)} CO2eq`

/** `40 to 70 g`; `undefined` where it is unknown, or a point. */
export function emissionsRangeOf({ emissions, emissionsInterval: interval }: Sums): string | undefined {
  if (interval === undefined || !isWide(interval)) return undefined
  return formatRange(interval.low, interval.high, 'mass', emissions.value)
}

/** `52 g CO2eq (30 to 80 g)`, of how many runs where it is not all; `undefined` where no run knows. */
export function embodiedPhrase({ runs, embodied, embodiedInterval: interval }: Sums): string | undefined {
  if (embodied.value === undefined) return undefined
  return `${formatMass(embodied.value)} CO2eq${rangeOf(interval, embodied.value)}${ofRuns(embodied.runs, runs)}`
}

/** `0 g CO2eq`, of how many runs where it is not all; `undefined` where no run knows. */
export const marketPhrase = ({ runs, marketEmissions: { value, runs: known } }: Sums): string | undefined =>
  value === undefined ? undefined : `${formatMass(value)} CO2eq${ofRuns(known, runs)}`

/** `1.2 mg CO2eq per request, of 1000`. */
export const sciPhrases = ({ runs, sci }: Sums): string[] =>
  sci.map(
    ({ functionalUnit, functionalUnits, gramsPerUnit, interval, runs: known }) =>
      `${formatMass(gramsPerUnit)} CO2eq per ${functionalUnit}${rangeOf(interval, gramsPerUnit)}, of ${Number(functionalUnits.toPrecision(6))}${ofRuns(known, runs)}`,
  )

const rangeOf = (interval: Interval<number> | undefined, like: number): string =>
  interval !== undefined && isWide(interval)
    ? ` (${formatRange(interval.low, interval.high, 'mass', like)})`
    : ''

const ofRuns = (known: number, all: number): string => (known === all ? '' : `, of ${counted(known, 'run')}`)

const isWide = ({ low, high }: { low: number; high: number }): boolean => high - low > 1e-9 * high

/** `28.1`: hours of computation. */
export function hoursOf({ duration }: Sums): string {
  if (duration.value === undefined) return 'unknown'
  const hours = toHours(duration.value)
  return hours < 100 ? String(Number(hours.toPrecision(3))) : hours.toFixed(0)
}

/** `80 % of it measured by hardware counters`, and for how much of the energy that is known where it is not all. */
export function measuredPhrase({ measured }: Sums): string {
  if (measured === undefined) {
    return 'measured or estimated: not kept in these files, csv_schema=extended does'
  }
  const { share, ofEnergy } = measured
  if (ofEnergy > 1 - 1e-9) return `${formatShare(share)} of it measured by hardware counters`
  return `the method is known for ${formatShare(ofEnergy)} of it, of which ${formatShare(share)} measured by hardware counters`
}

/** `France, private infrastructure`, `quebec, Canada`, `europe-west1 of gcp, Belgium`. */
export function placePhrase(place: Place): string {
  const { countryName, countryIsoCode, region, cloudProvider, cloudRegion, onCloud } = place
  const cloud = [cloudRegion, cloudProvider].filter((name) => name !== undefined).join(' of ')
  const isPrivate = cloud === '' && onCloud === false
  if (cloud === '' && region === undefined && countryName === undefined && countryIsoCode === undefined) {
    return 'place unknown'
  }
  return [cloud, region, countryName ?? countryIsoCode, isPrivate ? 'private infrastructure' : '']
    .filter((name) => name !== undefined && name !== '')
    .join(', ')
}

/** `Intel(R) …, 8 logical CPUs, TDP 15 W per socket`. */
export function cpuPhrase({ model, logicalCpus, tdpWatts }: Cpu): string {
  return [
    model,
    ...(logicalCpus === undefined ? [] : [counted(logicalCpus, 'logical CPU')]),
    ...(tdpWatts === undefined ? [] : [`TDP ${tdpWatts} W per socket`]),
  ].join(', ')
}

/** `2 x NVIDIA A100`: CodeCarbon writes the number into the name; a name without it gets it. */
export const gpuPhrase = ({ model, count }: Gpu): string =>
  count === undefined || /^\d+ x /.test(model) ? model : `${count} x ${model}`

/** `Ember, Yearly Electricity Data, 2024, lifecycle`. */
export const intensityPhrase = ({ source, year, basis }: IntensitySource): string =>
  [source, year, basis === 'unknown' ? undefined : basis].filter((fact) => fact !== undefined).join(', ')

/** `codecarbon 3.3.0 on Python 3.12.1`, `codecarbon 0.1.0 on node v20.20.2`. */
export function softwarePhrase({ codecarbonVersion, runtimeVersion }: Software): string {
  const codecarbon = `codecarbon ${codecarbonVersion ?? 'of an unknown version'}`
  if (runtimeVersion === undefined) return codecarbon
  return `${codecarbon} on ${/^\d/.test(runtimeVersion) ? `Python ${runtimeVersion}` : runtimeVersion}`
}

/** A phrase for each, with the number of runs where it is not all of them. */
export function withRuns<T>(
  items: readonly Counted<T>[],
  { runs }: Sums,
  phrase: (item: T) => string,
): string[] {
  return items.map((item) =>
    item.runs === runs ? phrase(item) : `${phrase(item)} (${counted(item.runs, 'run')})`,
  )
}

/** What is missing from the sums, a clause each: unknown is never zero. */
export function gapsOf({ runs, energy, emissions, duration, components }: Sums): string[] {
  const unmeasured = runs - energy.runs
  const unknownEmissions = runs - emissions.runs
  return [
    ...(unmeasured === 0 ? [] : [`${counted(unmeasured, 'run')} unmeasured, whose energy is in no sum`]),
    ...(unknownEmissions === 0 || unknownEmissions === unmeasured
      ? []
      : [`emissions unknown in ${counted(unknownEmissions, 'run')}`]),
    ...componentNames
      .filter((name) => components[name].unknownRuns > 0)
      .map(
        (name) =>
          `${componentTitles[name]} energy unknown in ${counted(components[name].unknownRuns, 'run')}`,
      ),
    ...(duration.runs === runs ? [] : [`duration unknown in ${counted(runs - duration.runs, 'run')}`]),
  ]
}

/** What components are called. */
export const componentTitles: Readonly<Record<ComponentName, string>> = {
  cpu: 'CPU',
  ram: 'memory',
  gpu: 'GPU',
}
