import type { EmissionsData } from '../../core/emissions-data.ts'
import type { Exporter } from '../../core/exporter.ts'
import { fromKilowattHours } from '../../core/units.ts'
import { formatEnergy, formatMass, formatPower } from '../../exporters/text/quantity.ts'
import type { Log, LogFacts } from '../../log.ts'

/** Its name among the outputs of a run. */
export const measurementLogName = 'log'

/** Tells the log how a run is doing at each live report: power since the last one, energy and emissions since the start. */
export function createMeasurementLog(log: Log): Exporter {
  return {
    name: measurementLogName,
    export({ reason, total, delta }) {
      if (reason === 'live') log('info', describe(total, delta), factsOf(total, delta))
    },
  }
}

function describe(total: EmissionsData, delta: EmissionsData): string {
  const powers = delta.components.map(({ component, powerWatts }) =>
    powerWatts === undefined ? `${component} unmeasured` : `${component} ${formatPower(powerWatts)}`,
  )
  const energy =
    total.energyConsumed === undefined ? [] : [formatEnergy(fromKilowattHours(total.energyConsumed))]
  const mass = total.emissions === undefined ? [] : [`${formatMass(total.emissions * 1000)} CO2eq`]
  const hosts = total.hosts.map(({ powerWatts }) =>
    powerWatts === undefined ? 'host unmeasured' : `host ${formatPower(powerWatts)}`,
  )
  return [...powers, ...hosts, ...energy, ...mass].join(', ')
}

const factsOf = (total: EmissionsData, delta: EmissionsData): LogFacts => ({
  event: 'measurement',
  ...Object.fromEntries(
    delta.components.map(({ component, powerWatts }) => [`${component}_power_watts`, powerWatts ?? null]),
  ),
  ...Object.fromEntries(total.hosts.map(({ powerWatts }) => ['host_power_watts', powerWatts ?? null])),
  duration_seconds: total.duration,
  energy_kwh: total.energyConsumed ?? null,
  emissions_kg: total.emissions ?? null,
  measured_share: total.measuredShare ?? null,
  carbon_intensity_grams_per_kwh: total.intensity.gramsPerKwh,
})
