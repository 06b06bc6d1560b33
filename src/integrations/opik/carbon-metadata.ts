import type { ComponentRecord, EmissionsData } from '../../core/emissions-data.ts'
import { joules, toKilowattHours } from '../../core/units.ts'

/** Energy and emissions as metadata of a span or a trace; what nobody could tell is not there. Energies are with PUE. */
export interface CarbonMetadata {
  readonly energy_kwh?: number
  readonly energy_low_kwh?: number
  readonly energy_high_kwh?: number
  /** CO2 equivalents. */
  readonly emissions_kg?: number
  readonly emissions_low_kg?: number
  readonly emissions_high_kg?: number
  readonly duration_seconds: number
  /** Share of the energy that hardware counters told, 0 to 1. */
  readonly measured_share?: number
  readonly intensity_grams_per_kwh: number
  readonly intensity_source: string
  readonly country_iso_code?: string
  readonly components: Readonly<Record<string, ComponentMetadata>>
  /** Run of CodeCarbon. */
  readonly run_id: string
  readonly codecarbon_version: string
}

/** One component. */
export interface ComponentMetadata {
  /** `measured`, `integrated`, `estimated` or `unmeasured`. */
  readonly method: string
  readonly source?: string
  readonly energy_kwh?: number
}

/** The record of a task or a run as metadata. */
export function carbonMetadata(record: EmissionsData): CarbonMetadata {
  return known<CarbonMetadata>({
    energy_kwh: record.energyConsumed,
    energy_low_kwh: record.energyLow,
    energy_high_kwh: record.energyHigh,
    emissions_kg: record.emissions,
    emissions_low_kg: record.emissionsLow,
    emissions_high_kg: record.emissionsHigh,
    duration_seconds: record.duration,
    measured_share: record.measuredShare,
    intensity_grams_per_kwh: record.intensity.gramsPerKwh,
    intensity_source: record.intensity.source,
    country_iso_code: record.place.countryIsoCode,
    components: Object.fromEntries(record.components.map((part) => [part.component, toMetadata(part)])),
    run_id: record.runId,
    codecarbon_version: record.codecarbonVersion,
  })
}

const toMetadata = ({ method, source, energyJoules }: ComponentRecord): ComponentMetadata =>
  known<ComponentMetadata>({
    method,
    source,
    energy_kwh: energyJoules === undefined ? undefined : toKilowattHours(joules(energyJoules)),
  })

const known = <T>(values: { readonly [Name in keyof T]-?: T[Name] | undefined }): T =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T
