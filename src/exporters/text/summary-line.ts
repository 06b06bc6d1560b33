import type { EmissionsData } from '../../core/emissions-data.ts'
import { fromKilowattHours } from '../../core/units.ts'
import { formatDuration, formatEnergy, formatMass } from './quantity.ts'

/** The one line that ends a run. */
export function summaryLine(data: EmissionsData, csvPath: string | undefined): string {
  const energy =
    data.energyConsumed === undefined
      ? 'energy unmeasured'
      : formatEnergy(fromKilowattHours(data.energyConsumed))
  const mass = data.emissions === undefined ? '' : `, ${formatMass(data.emissions * 1000)} CO2eq`
  const where = csvPath === undefined ? '' : `, ${csvPath}`
  return `${data.projectName}: ${energy}${mass} in ${formatDuration(data.duration)}${where}`
}
