import type { EmissionsData } from '../core/emissions-data.ts'
import type { TaskGroup } from './task-groups.ts'

/** Figures by name; what nobody could tell is not among them. */
export type Figures = Readonly<Record<string, number>>
/** Facts by name. */
export type Facts = Readonly<Record<string, string | number>>

/**
 * The metrics of a run: totals so far, under the names that CodeCarbon for Python has in its Prometheus and Logfire outputs, and the mean powers since `before`.
 * Energies are kWh with PUE, emissions kg CO2eq, powers watts without PUE, the rate kg CO2eq a second.
 */
export function metricsOf(total: EmissionsData, before: EmissionsData | undefined): Figures {
  const seconds = total.duration - (before?.duration ?? 0)
  const power = (component: string): number | undefined => {
    const used = energyOf(total, component)
    if (used === undefined || seconds <= 0) return undefined
    return (used - (before === undefined ? 0 : (energyOf(before, component) ?? 0))) / total.pue / seconds
  }
  return known({
    codecarbon_duration: total.duration,
    codecarbon_emissions: total.emissions,
    codecarbon_emissions_rate: total.emissionsRate,
    codecarbon_energy_consumed: total.energyConsumed,
    codecarbon_cpu_energy: total.cpuEnergy,
    codecarbon_gpu_energy: total.gpuCount === 0 ? undefined : total.gpuEnergy,
    codecarbon_ram_energy: total.ramEnergy,
    codecarbon_cpu_power: power('cpu'),
    codecarbon_gpu_power: power('gpu'),
    codecarbon_ram_power: power('ram'),
    codecarbon_measured_share: total.measuredShare,
    codecarbon_carbon_intensity: total.intensity.gramsPerKwh,
  })
}

/** Those of them that stay the same for most runs, and are told where they change. */
export const steadyMetrics: ReadonlySet<string> = new Set([
  'codecarbon_measured_share',
  'codecarbon_carbon_intensity',
])

const energyOf = ({ components }: EmissionsData, name: string): number | undefined =>
  components.find(({ component }) => component === name)?.energyJoules

/** Hardware, methods, place and source of the carbon intensity. */
export function parametersOf(data: EmissionsData): Facts {
  const { place, intensity } = data
  const methods = data.components.map(({ component, method, source }) => [
    `codecarbon_${component}_method`,
    source === undefined ? method : `${method} (${source})`,
  ])
  return known({
    codecarbon_version: data.codecarbonVersion,
    codecarbon_tracking_mode: data.trackingMode,
    codecarbon_os: data.os,
    codecarbon_cpu_model: data.cpuModel,
    codecarbon_cpu_count: data.cpuCount,
    codecarbon_gpu_model: data.gpuModel,
    codecarbon_gpu_count: data.gpuCount,
    codecarbon_ram_total_gib: data.ramTotalSize,
    ...(Object.fromEntries(methods) as Record<string, string>),
    codecarbon_country: place.countryName ?? place.countryIsoCode,
    codecarbon_region: place.region,
    codecarbon_cloud:
      place.cloudProvider === undefined
        ? undefined
        : `${place.cloudProvider} ${place.cloudRegion ?? ''}`.trim(),
    codecarbon_place_found_by: place.foundBy,
    codecarbon_intensity_source: [intensity.source, intensity.year]
      .filter((part) => part !== undefined)
      .join(', '),
    codecarbon_pue: data.pue,
  })
}

/** Totals and what they compare to. */
export function othersOf(data: EmissionsData, comparisons: readonly string[]): Facts {
  return known({
    'CO2 emissions (kg)': data.emissions,
    'CO2 emissions, low (kg)': data.emissionsLow,
    'CO2 emissions, high (kg)': data.emissionsHigh,
    'Energy (kWh)': data.energyConsumed ?? 'unmeasured',
    'Energy, low (kWh)': data.energyLow,
    'Energy, high (kWh)': data.energyHigh,
    'Measured share of the energy': data.measuredShare,
    'Carbon intensity (g/kWh)': data.intensity.gramsPerKwh,
    'Embodied emissions (kg)': data.embodied?.kg,
    Country: data.countryName,
    'CodeCarbon run': data.runId,
    ...Object.fromEntries(comparisons.map((text, index) => [`About ${index + 1}`, text])),
  })
}

/** kWh, kg CO2eq and seconds of a task. */
export const taskMetricsOf = ({ energy, emissions, seconds }: TaskGroup): Figures =>
  known({
    codecarbon_task_energy_consumed: energy,
    codecarbon_task_emissions: emissions,
    codecarbon_task_duration: seconds,
  })

function known<T>(values: Readonly<Record<string, T | undefined>>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, T] => entry[1] !== undefined),
  )
}
