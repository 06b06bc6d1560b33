import type { ComponentRecord, EmissionsData, TaskEmissionsData } from '../../core/emissions-data.ts'

/** A cell of a CSV file; `undefined` is written as nothing. */
export type Cell = string | number | undefined
/** One row: its cells by column name. */
export type Row = Readonly<Record<string, Cell>>

/** Columns of CodeCarbon's `emissions.csv`, in its order. */
export const emissionsColumns: readonly string[] = [
  ...['timestamp', 'project_name', 'run_id', 'experiment_id', 'duration', 'emissions', 'emissions_rate'],
  ...['cpu_power', 'gpu_power', 'ram_power', 'cpu_energy', 'gpu_energy', 'ram_energy', 'energy_consumed'],
  ...['water_consumed', 'country_name', 'country_iso_code', 'region', 'cloud_provider', 'cloud_region'],
  ...['os', 'python_version', 'codecarbon_version', 'cpu_count', 'cpu_model', 'gpu_count', 'gpu_model'],
  ...['longitude', 'latitude', 'ram_total_size', 'tracking_mode', 'cpu_utilization_percent'],
  ...['gpu_utilization_percent', 'ram_utilization_percent', 'ram_used_gb', 'on_cloud', 'pue', 'wue'],
]

/** Columns of the file of tasks, as CodeCarbon writes them. */
export const taskColumns: readonly string[] = [
  'task_name',
  ...emissionsColumns.filter((column) => !['experiment_id', 'pue', 'wue'].includes(column)),
]

/** Our own columns, after those of CodeCarbon, in the `extended` schema. */
export const extendedColumns: readonly string[] = [
  ...['energy_low', 'energy_high', 'emissions_low', 'emissions_high', 'measured_share'],
  ...['cpu_method', 'cpu_source', 'gpu_method', 'gpu_source', 'ram_method', 'ram_source'],
  ...['carbon_intensity', 'carbon_intensity_year', 'carbon_intensity_basis', 'carbon_intensity_quality'],
  ...['carbon_intensity_source', 'place_found_by', 'problems'],
  ...['market_emissions', 'market_carbon_intensity', 'embodied_emissions', 'embodied_low', 'embodied_high'],
  ...['embodied_source', 'functional_unit', 'functional_units', 'sci', 'sci_low', 'sci_high'],
]

/** All cells of a record, for whatever columns a file has. */
export function toRow(data: EmissionsData | TaskEmissionsData): Row {
  const component = (name: string): ComponentRecord | undefined =>
    data.components.find((entry) => entry.component === name)
  return {
    task_name: 'taskName' in data ? data.taskName : undefined,
    timestamp: data.timestamp,
    project_name: data.projectName,
    run_id: data.runId,
    experiment_id: data.experimentId,
    duration: data.duration,
    emissions: data.emissions,
    emissions_rate: data.emissionsRate,
    cpu_power: data.cpuPower,
    gpu_power: data.gpuPower,
    ram_power: data.ramPower,
    cpu_energy: data.cpuEnergy,
    gpu_energy: data.gpuEnergy,
    ram_energy: data.ramEnergy,
    energy_consumed: data.energyConsumed,
    water_consumed: data.waterConsumed,
    country_name: data.countryName,
    country_iso_code: data.countryIsoCode,
    region: data.region,
    cloud_provider: data.cloudProvider,
    cloud_region: data.cloudRegion,
    os: data.os,
    python_version: data.pythonVersion,
    codecarbon_version: data.codecarbonVersion,
    cpu_count: data.cpuCount,
    cpu_model: data.cpuModel,
    gpu_count: data.gpuCount,
    gpu_model: data.gpuModel,
    longitude: data.longitude,
    latitude: data.latitude,
    ram_total_size: data.ramTotalSize,
    tracking_mode: data.trackingMode,
    cpu_utilization_percent: data.cpuUtilizationPercent,
    gpu_utilization_percent: data.gpuUtilizationPercent,
    ram_utilization_percent: data.ramUtilizationPercent,
    ram_used_gb: data.ramUsedGb,
    on_cloud: data.onCloud,
    pue: data.pue,
    wue: data.wue,
    energy_low: data.energyLow,
    energy_high: data.energyHigh,
    emissions_low: data.emissionsLow,
    emissions_high: data.emissionsHigh,
    measured_share: data.measuredShare,
    cpu_method: component('cpu')?.method,
    cpu_source: component('cpu')?.source,
    gpu_method: component('gpu')?.method,
    gpu_source: component('gpu')?.source,
    ram_method: component('ram')?.method,
    ram_source: component('ram')?.source,
    carbon_intensity: data.intensity.gramsPerKwh,
    carbon_intensity_year: data.intensity.year,
    carbon_intensity_basis: data.intensity.basis,
    carbon_intensity_quality: data.intensity.quality,
    carbon_intensity_source: data.intensity.source,
    place_found_by: data.place.foundBy,
    problems: data.problems.map(({ code, subject }) => `${code} ${subject}`).join('; '),
    market_emissions: data.marketBased?.kg,
    market_carbon_intensity: data.marketBased?.gramsPerKwh,
    embodied_emissions: data.embodied?.kg,
    embodied_low: data.embodied?.lowKg,
    embodied_high: data.embodied?.highKg,
    embodied_source: data.embodied?.source,
    functional_unit: data.sci?.functionalUnit,
    functional_units: data.sci?.functionalUnits,
    sci: data.sci?.gramsPerUnit,
    sci_low: data.sci?.low,
    sci_high: data.sci?.high,
  }
}
