import type { EmissionsData } from '../core/emissions-data.ts'
import type { ScopeTotal } from '../core/scope-totals.ts'

/** What a summary tells besides the record. */
export interface SummaryInput {
  readonly data: EmissionsData
  /** Milliseconds since 1970. */
  readonly startedAtMs: number
  /** Of the command that was tracked, where one was. */
  readonly exitCode?: number
  readonly csvPath: string | undefined
  /** Use of the command's own process tree, in joules and grams, where it was told apart. */
  readonly command?: { readonly energyJoules: number; readonly emissionsGrams: number } | undefined
}

const scopeTotal = (total: ScopeTotal): object => ({
  name: total.name,
  kind: total.kind,
  nested: total.isNested,
  count: total.count,
  outcomes: total.outcomes,
  duration_seconds: total.durationSeconds,
  energy_joules: total.energyJoules ?? null,
  emissions_g: total.emissionsGrams ?? null,
})

/** The JSON of `--summary-file`, schema 1. Units are in the names; `null` is unknown. */
export function toSummary(input: SummaryInput): object {
  const { data, startedAtMs, exitCode, csvPath, command } = input
  const { intensity, place } = data
  return {
    schema: 1,
    project_name: data.projectName,
    run_id: data.runId,
    started_at: new Date(startedAtMs).toISOString(),
    duration_seconds: data.duration,
    exit_code: exitCode ?? null,
    csv: csvPath ?? null,
    tracking_mode: data.trackingMode,
    energy_kwh: data.energyConsumed ?? null,
    emissions: {
      kg: data.emissions ?? null,
      low: data.emissionsLow ?? null,
      high: data.emissionsHigh ?? null,
    },
    measured_share: data.measuredShare ?? null,
    command:
      command === undefined
        ? null
        : { energy_joules: command.energyJoules, emissions_g: command.emissionsGrams },
    scopes: (data.scopes ?? []).map(scopeTotal),
    components: data.components.map((component) => ({
      component: component.component,
      method: component.method,
      source: component.source ?? null,
      basis: component.basis ?? null,
      energy_joules: component.energyJoules ?? null,
      low: component.lowJoules ?? null,
      high: component.highJoules ?? null,
      power_watts: component.powerWatts ?? null,
      domains: component.domains.map(({ domain, parent, method, energyJoules }) => ({
        domain,
        parent: parent ?? null,
        method,
        energy_joules: energyJoules,
      })),
    })),
    hosts: data.hosts.map(({ domain, source, method, energyJoules, powerWatts, reason }) => ({
      domain,
      source,
      method,
      energy_joules: energyJoules ?? null,
      power_watts: powerWatts ?? null,
      ...(reason === undefined ? {} : { reason }),
    })),
    pue: data.pue,
    wue: data.wue,
    intensity: {
      grams_per_kwh: intensity.gramsPerKwh,
      scope: intensity.scope,
      source: intensity.source,
      year: intensity.year ?? null,
      basis: intensity.basis,
      quality: intensity.quality,
      observed_at:
        intensity.observedAtMs === undefined ? null : new Date(intensity.observedAtMs).toISOString(),
    },
    market_based:
      data.marketBased === undefined
        ? null
        : {
            grams_per_kwh: data.marketBased.gramsPerKwh,
            kg: data.marketBased.kg,
            low: data.marketBased.lowKg,
            high: data.marketBased.highKg,
          },
    embodied:
      data.embodied === undefined
        ? null
        : {
            kg: data.embodied.kg,
            low: data.embodied.lowKg,
            high: data.embodied.highKg,
            reserved_kg: data.embodied.reservedKg,
            lifespan_years: data.embodied.lifespanYears,
            basis: data.embodied.basis,
            source: data.embodied.source,
          },
    sci:
      data.sci === undefined
        ? null
        : {
            functional_unit: data.sci.functionalUnit,
            functional_units: data.sci.functionalUnits,
            grams_per_unit: data.sci.gramsPerUnit ?? null,
            low: data.sci.low ?? null,
            high: data.sci.high ?? null,
            boundary: data.sci.boundary,
          },
    place: {
      country_iso_code: place.countryIsoCode ?? null,
      region: place.region ?? null,
      cloud_provider: place.cloudProvider ?? null,
      cloud_region: place.cloudRegion ?? null,
      found_by: place.foundBy,
      told_by: place.toldBy ?? null,
    },
    problems: data.problems.map(({ code, subject, message, count, gap }) => ({
      code,
      subject,
      message,
      count,
      gap_seconds: gap,
    })),
  }
}
