import { toKilograms, toKilowattHours, type Grams, type Joules } from '../core/units.ts'
import type { ScrapedFrom } from './scraped-from.ts'
import type { Statement } from './statement.ts'
import { componentNames, type Sums } from './sums.ts'

/** A statement as JSON, schema 1. Units are in the names, energies hold the PUE, `null` is unknown. */
export function renderJson(statement: Statement): string {
  return `${JSON.stringify(toJson(statement), undefined, 2)}\n`
}

function toJson(statement: Statement): object {
  const { total, groups, by, scrapedFrom, offsetShare, comparisons } = statement
  return {
    schema: 1,
    written_by: `codecarbon ${statement.version}`,
    files: statement.files.map(({ path, skipped }) => ({
      path,
      skipped_rows: skipped?.rows ?? 0,
      first_skipped_line: skipped?.firstLine ?? null,
    })),
    ...(scrapedFrom === undefined ? {} : { prometheus: scrapedToJson(scrapedFrom) }),
    total: sumsToJson(total),
    offset_percent: offsetShare === undefined ? null : rounded(offsetShare * 100),
    by,
    [by === 'project' ? 'projects' : 'groups']: groups.map((group) => ({
      [by === 'project' ? 'project_name' : by]: group.name ?? null,
      ...sumsToJson(group),
    })),
    comparisons: comparisons.map(({ key, quantity, unit, text, source }) => ({
      key,
      quantity: rounded(quantity),
      unit,
      text,
      source,
    })),
    places: statement.places.map((place) => ({
      country_name: place.countryName ?? null,
      country_iso_code: place.countryIsoCode ?? null,
      region: place.region ?? null,
      cloud_provider: place.cloudProvider ?? null,
      cloud_region: place.cloudRegion ?? null,
      on_cloud: place.onCloud ?? null,
      runs: place.runs,
    })),
    cpus: statement.cpus.map(({ model, logicalCpus, tdpWatts, runs }) => ({
      model,
      logical_cpus: logicalCpus ?? null,
      tdp_watts: tdpWatts ?? null,
      runs,
    })),
    gpus: statement.gpus.map(({ model, count, runs }) => ({ model, count: count ?? null, runs })),
    intensities: statement.intensities.map(({ source, year, basis, runs }) => ({
      source,
      year: year ?? null,
      basis: basis ?? null,
      runs,
    })),
    embodied_sources: statement.embodiedSources,
    tracking_modes: statement.trackingModes,
    pues: statement.pues,
    software: statement.software.map(({ codecarbonVersion, runtimeVersion, runs }) => ({
      codecarbon_version: codecarbonVersion ?? null,
      runtime_version: runtimeVersion ?? null,
      runs,
    })),
  }
}

const scrapedToJson = (from: ScrapedFrom): object => ({
  address: from.address,
  from: new Date(from.fromMs).toISOString(),
  until: new Date(from.untilMs).toISOString(),
  targets: from.targets,
  reading_seconds: rounded(from.readingTime),
  unseen_energy_kwh_at_most: kilowattHours(from.unseenEnergy),
  doubts: from.doubts,
})

function sumsToJson(sums: Sums): object {
  const { runs, duration, energy, emissions, measured, carbonIntensity, waterLitres, period } = sums
  return {
    runs,
    unmeasured_runs: runs - energy.runs,
    first_timestamp: period?.first ?? null,
    last_timestamp: period?.last ?? null,
    duration_seconds: rounded(duration.value),
    duration_unknown_runs: runs - duration.runs,
    energy_kwh: kilowattHours(energy.value),
    energy_low_kwh: kilowattHours(sums.energyInterval?.low),
    energy_high_kwh: kilowattHours(sums.energyInterval?.high),
    components: componentNames.map((component) => ({
      component,
      energy_kwh: kilowattHours(sums.components[component].energy),
      unknown_runs: sums.components[component].unknownRuns,
    })),
    measured_share: rounded(measured?.share),
    measured_share_known_for: rounded(measured?.ofEnergy),
    emissions_kg: kilograms(emissions.value),
    emissions_low_kg: kilograms(sums.emissionsInterval?.low),
    emissions_high_kg: kilograms(sums.emissionsInterval?.high),
    emissions_unknown_runs: runs - emissions.runs,
    carbon_intensity_g_per_kwh: rounded(carbonIntensity),
    water_litres: rounded(waterLitres.value),
    water_runs: waterLitres.runs,
    market_emissions_kg: kilograms(sums.marketEmissions.value),
    market_runs: sums.marketEmissions.runs,
    embodied_kg: kilograms(sums.embodied.value),
    embodied_low_kg: kilograms(sums.embodiedInterval?.low),
    embodied_high_kg: kilograms(sums.embodiedInterval?.high),
    embodied_runs: sums.embodied.runs,
    sci: sums.sci.map(({ functionalUnit, functionalUnits, gramsPerUnit, interval, runs: count }) => ({
      functional_unit: functionalUnit,
      functional_units: rounded(functionalUnits),
      grams_per_unit: rounded(gramsPerUnit),
      low: rounded(interval?.low),
      high: rounded(interval?.high),
      runs: count,
    })),
  }
}

const kilowattHours = (energy: Joules | undefined): number | null =>
  energy === undefined ? null : rounded(toKilowattHours(energy))
const kilograms = (mass: Grams | undefined): number | null =>
  mass === undefined ? null : rounded(toKilograms(mass))

/** Twelve significant digits: the rest is the rounding of sums, and depends on their order. */
function rounded(value: number): number
function rounded(value: number | undefined): number | null
function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Number(value.toPrecision(12))
}
