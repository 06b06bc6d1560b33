import type { EmissionsData } from '../core/emissions-data.ts'

/** The figures of a report that these metrics are of. */
export interface CompatFigures {
  /** What came since the report before. */
  readonly delta: EmissionsData
  /** The run so far. */
  readonly total: EmissionsData
}

/** A metric as CodeCarbon for Python pushes it. */
export interface CompatMetric {
  readonly name: string
  readonly instrument: 'counter' | 'gauge'
  /** One sentence without its full stop. */
  readonly help: string
  /** In the unit that its help names; `undefined` where nobody can tell. */
  readonly value: (figures: CompatFigures) => number | undefined
}

/**
 * The metrics of CodeCarbon for Python (output_methods/metrics/prometheus.py) under its names and in its units, kWh and kg among them, so that dashboards
 * made for it go on. Gauges hold what came between the last two reports, of which whoever looks seldom misses some; what they are of is told by labels on each.
 * They are not among the metrics of the table, and their names are none of its.
 */
export const compatMetrics: readonly CompatMetric[] = [
  gauge('codecarbon_duration', 'time in seconds', ({ duration }) => duration),
  gauge('codecarbon_emissions', 'emissions in kg of CO2 equivalents', ({ emissions }) => emissions),
  gauge(
    'codecarbon_emissions_rate',
    'emissions in kg of CO2 equivalents per second',
    ({ emissionsRate }) => emissionsRate,
  ),
  gauge('codecarbon_cpu_power', 'mean power of the processors in watts', ({ cpuPower }) => cpuPower),
  gauge('codecarbon_gpu_power', 'mean power of the graphics processors in watts', ({ gpuPower }) => gpuPower),
  gauge('codecarbon_ram_power', 'mean power of the memory in watts', ({ ramPower }) => ramPower),
  gauge('codecarbon_cpu_energy', 'energy of the processors in kWh', ({ cpuEnergy }) => cpuEnergy),
  gauge('codecarbon_gpu_energy', 'energy of the graphics processors in kWh', ({ gpuEnergy }) => gpuEnergy),
  gauge('codecarbon_ram_energy', 'energy of the memory in kWh', ({ ramEnergy }) => ramEnergy),
  gauge('codecarbon_energy_consumed', 'energy of all of them in kWh', ({ energyConsumed }) => energyConsumed),
  {
    name: 'codecarbon_energy_total',
    instrument: 'counter',
    help: 'energy in kWh since the run began, under the name of CodeCarbon for Python',
    value: ({ total }) => total.energyConsumed,
  },
]

function gauge(name: string, what: string, of: (delta: EmissionsData) => number | undefined): CompatMetric {
  return {
    name,
    instrument: 'gauge',
    help: `${what} between the last two reports, under the name of CodeCarbon for Python`,
    value: ({ delta }) => of(delta),
  }
}

/** Labels of each of them, in its order. */
export const compatLabelNames: readonly string[] = [
  ...['project_name', 'country_name', 'country_iso_code', 'region', 'cloud_provider', 'cloud_region', 'os'],
  ...['codecarbon_version', 'cpu_model', 'cpu_count', 'gpu_model', 'gpu_count', 'tracking_mode'],
  'ram_total_size',
]

/** Their values; what is not known is an empty text, as all but the project are with CodeCarbon for Python. */
export function compatLabels({ total }: CompatFigures): Readonly<Record<string, string>> {
  const values = [
    ...[total.projectName, total.countryName, total.countryIsoCode, total.region, total.cloudProvider],
    ...[total.cloudRegion, total.os, total.codecarbonVersion, total.cpuModel, total.cpuCount],
    ...[total.gpuModel, total.gpuCount, total.trackingMode, total.ramTotalSize],
  ]
  return Object.fromEntries(compatLabelNames.map((name, index) => [name, String(values[index] ?? '')]))
}
