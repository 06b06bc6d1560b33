import {
  fromKilograms,
  fromKilowattHours,
  seconds,
  type Grams,
  type Joules,
  type Ratio,
  type Seconds,
} from '../core/units.ts'

/** The figures of one run, from one row of a file; `undefined` is unknown, never zero. */
export interface Run {
  /** `undefined` where the row has none: such a row is a run of its own. */
  readonly runId: string | undefined
  readonly setting: Setting
  /** Labels of where it was scraped, of a run that Prometheus tells of. */
  readonly scraped: Scraped | undefined
  /** Local time of the row, `YYYY-MM-DDTHH:MM:SS`. */
  readonly timestamp: string | undefined
  /** When it began, the same way; `undefined` of a row, whose duration tells. */
  readonly began: string | undefined
  readonly duration: Seconds | undefined
  /** Of all components that could be told, with PUE; so are those of the components. */
  readonly energy: Joules | undefined
  readonly energyLow: Joules | undefined
  readonly energyHigh: Joules | undefined
  readonly cpuEnergy: Joules | undefined
  readonly ramEnergy: Joules | undefined
  readonly gpuEnergy: Joules | undefined
  readonly emissions: Grams | undefined
  readonly emissionsLow: Grams | undefined
  readonly emissionsHigh: Grams | undefined
  /** Share of the energy that hardware counters told. */
  readonly measuredShare: Ratio | undefined
  readonly waterLitres: number | undefined
  /** By the contracts of the electricity, beside `emissions`. */
  readonly marketEmissions: Grams | undefined
  /** Of making the machine, for this time of its life; no part of `emissions`. */
  readonly embodied: Grams | undefined
  readonly embodiedLow: Grams | undefined
  readonly embodiedHigh: Grams | undefined
  /** Software Carbon Intensity and what it is by. */
  readonly sci: RunSci | undefined
}

/** Where a run was scraped, by the labels that Prometheus gives every target. */
export interface Scraped {
  readonly job: string | undefined
  readonly instance: string | undefined
}

/** The SCI of one run: grams of CO2eq by functional unit. */
export interface RunSci {
  readonly functionalUnit: string
  readonly functionalUnits: number
  readonly gramsPerUnit: number
  readonly low: number | undefined
  readonly high: number | undefined
}

/** Where, on what and by what runs were done. Runs that have all of it in common share one object. */
export interface Setting {
  readonly projectName: string | undefined
  readonly countryName: string | undefined
  readonly countryIsoCode: string | undefined
  readonly region: string | undefined
  readonly cloudProvider: string | undefined
  readonly cloudRegion: string | undefined
  readonly onCloud: boolean | undefined
  readonly cpuModel: string | undefined
  /** Logical CPUs. */
  readonly cpuCount: number | undefined
  readonly gpuModel: string | undefined
  readonly gpuCount: number | undefined
  readonly trackingMode: string | undefined
  /** Version of the runtime: `node v20.20.2`, or of Python: `3.12.1`. */
  readonly runtimeVersion: string | undefined
  readonly codecarbonVersion: string | undefined
  readonly pue: number | undefined
  /** Litres per kWh. */
  readonly wue: number | undefined
  /** Who published the carbon intensity; it and the two below are in extended files alone. */
  readonly intensitySource: string | undefined
  readonly intensityYear: number | undefined
  readonly intensityBasis: string | undefined
  /** Who published the emissions of making the machine. */
  readonly embodiedSource: string | undefined
}

/** Settings met so far, by their cells. */
export type Settings = Map<string, Setting>

/** Reads the rows that stand under one header. */
export type RunParser = (cells: readonly string[]) => Run | BadRow

/** Why a row is no run. */
export interface BadRow {
  readonly reason: string
}

/**
 * Makes the parser for a header of CodeCarbon, ours or an older one: columns are found by name, and those that are missing are unknown. In the
 * file energies are in kWh, emissions in kg CO2eq, durations in seconds, water in litres.
 */
export function createRunParser(header: readonly string[], settings: Settings): RunParser {
  const columns = header.map((name) => name.trim())
  const at = Object.fromEntries(columns.map((name, index) => [name, index]))
  const numbersAt = columns.flatMap((name, index) => (numberColumns.has(name) ? [index] : []))
  const settingAt = settingColumns.map((name) => at[name] ?? -1)

  const settingOf = (cells: readonly string[]): Setting => {
    const key = settingAt.map((index) => cells[index]).join('\0')
    const setting = settings.get(key) ?? toSetting((name) => toText(cells[at[name] ?? -1]))
    settings.set(key, setting)
    return setting
  }

  return (cells) => {
    if (cells.length !== columns.length) {
      return { reason: `it has ${cells.length} cells where the header has ${columns.length}` }
    }
    const wrong = numbersAt.find((index) => !isNumberOrUnknown(cells[index] ?? ''))
    if (wrong !== undefined)
      return { reason: `${columns[wrong]} is ${quote(cells[wrong])}, expected a number from 0` }
    const number = (name: string): number | undefined => toNumber(cells[at[name] ?? -1])
    const share = number('measured_share')
    if (share !== undefined && share > 1) {
      return { reason: `measured_share is ${share}, expected a number from 0 to 1` }
    }
    return {
      runId: toText(cells[at['run_id'] ?? -1]),
      setting: settingOf(cells),
      scraped: undefined,
      timestamp: toTimestamp(cells[at['timestamp'] ?? -1]),
      began: undefined,
      duration: given(number('duration'), seconds),
      energy: given(number('energy_consumed'), fromKilowattHours),
      energyLow: given(number('energy_low'), fromKilowattHours),
      energyHigh: given(number('energy_high'), fromKilowattHours),
      cpuEnergy: given(number('cpu_energy'), fromKilowattHours),
      ramEnergy: given(number('ram_energy'), fromKilowattHours),
      gpuEnergy: given(number('gpu_energy'), fromKilowattHours),
      emissions: given(number('emissions'), fromKilograms),
      emissionsLow: given(number('emissions_low'), fromKilograms),
      emissionsHigh: given(number('emissions_high'), fromKilograms),
      measuredShare: share as Ratio | undefined,
      waterLitres: number('water_consumed'),
      marketEmissions: given(number('market_emissions'), fromKilograms),
      embodied: given(number('embodied_emissions'), fromKilograms),
      embodiedLow: given(number('embodied_low'), fromKilograms),
      embodiedHigh: given(number('embodied_high'), fromKilograms),
      sci: toSci(toText(cells[at['functional_unit'] ?? -1]), number),
    }
  }
}

/** Columns of which a cell that is neither a number nor unknown spoils the row. */
const numberColumns: ReadonlySet<string> = new Set([
  ...['duration', 'energy_consumed', 'energy_low', 'energy_high', 'cpu_energy', 'ram_energy', 'gpu_energy'],
  ...['emissions', 'emissions_low', 'emissions_high', 'measured_share', 'water_consumed', 'pue', 'wue'],
])

const settingColumns = [
  ...['project_name', 'country_name', 'country_iso_code', 'region', 'cloud_provider', 'cloud_region'],
  ...['on_cloud', 'cpu_model', 'cpu_count', 'gpu_model', 'gpu_count', 'tracking_mode', 'python_version'],
  ...['codecarbon_version', 'pue', 'wue', 'carbon_intensity_source', 'carbon_intensity_year'],
  ...['carbon_intensity_basis', 'embodied_source'],
]

function toSetting(text: (name: string) => string | undefined): Setting {
  const onCloud = text('on_cloud')
  return {
    projectName: text('project_name'),
    countryName: text('country_name'),
    countryIsoCode: text('country_iso_code'),
    region: text('region'),
    cloudProvider: text('cloud_provider'),
    cloudRegion: text('cloud_region'),
    onCloud: onCloud === undefined ? undefined : onCloud === 'Y',
    cpuModel: text('cpu_model'),
    cpuCount: toNumber(text('cpu_count')),
    gpuModel: text('gpu_model'),
    gpuCount: toNumber(text('gpu_count')),
    trackingMode: text('tracking_mode'),
    runtimeVersion: text('python_version'),
    codecarbonVersion: text('codecarbon_version'),
    pue: toNumber(text('pue')),
    wue: toNumber(text('wue')),
    intensitySource: text('carbon_intensity_source'),
    intensityYear: toNumber(text('carbon_intensity_year')),
    intensityBasis: text('carbon_intensity_basis'),
    embodiedSource: text('embodied_source'),
  }
}

function toSci(
  functionalUnit: string | undefined,
  number: (name: string) => number | undefined,
): RunSci | undefined {
  const [functionalUnits, gramsPerUnit] = [number('functional_units'), number('sci')]
  if (functionalUnit === undefined || functionalUnits === undefined || gramsPerUnit === undefined)
    return undefined
  return { functionalUnit, functionalUnits, gramsPerUnit, low: number('sci_low'), high: number('sci_high') }
}

/** What Python and its libraries write where they know nothing. */
const unknown = /^(|none|nan|null|na|n\/a|<na>|undefined)$/i
const decimal = /^\+?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** More than the world uses of anything in a year, in any unit of the file; sums of a million such still fit. */
const most = 1e20

function isNumberOrUnknown(cell: string): boolean {
  if (cell === '') return true
  const text = cell.trim()
  return (decimal.test(text) && Number(text) <= most) || unknown.test(text)
}

function toNumber(cell: string | undefined): number | undefined {
  const text = cell?.trim() ?? ''
  return decimal.test(text) ? Number(text) : undefined
}

function toText(cell: string | undefined): string | undefined {
  const text = cell?.trim() ?? ''
  return unknown.test(text) ? undefined : text
}

/** The first 19 letters; the ordinary cell as it is, so that a million of them cost no copies. */
function toTimestamp(cell = ''): string | undefined {
  return /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d/.test(cell) ? cell.slice(0, 19).replace(' ', 'T') : undefined
}

const given = <From, To>(value: From | undefined, to: (value: From) => To): To | undefined =>
  value === undefined ? undefined : to(value)

const quote = (cell = ''): string => JSON.stringify(cell.length > 40 ? `${cell.slice(0, 40)}…` : cell)
