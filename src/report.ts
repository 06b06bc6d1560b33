import { comparisonsFor } from './comparisons-for.ts'
import type { EmissionsData, IntensityRecord, PlaceRecord } from './core/emissions-data.ts'
import { fromKilowattHours } from './core/units.ts'
import { totalEnergy } from './core/usage.ts'
import { formatEnergy, formatShare } from './exporters/text/quantity.ts'
import { renderTextReport } from './exporters/text/text-report.ts'
import type { Refusal } from './probes/detector.ts'
import type { Started } from './start.ts'
import type { Survey } from './survey.ts'

export { beyondAdvice } from './exporters/text/text-report.ts'

/** A run as text for people. */
export function renderReport(started: Started, data: EmissionsData): string {
  return renderTextReport({
    data,
    comparisons: comparisonsFor(data).map(({ text }) => text),
    advice: adviceFor(started.survey, data.place, data.intensity.scope),
    shares: commandShare(started, data),
    csvPath: started.csvPath(),
  })
}

/** What the command itself used, beside the whole machine. */
function commandShare(started: Started, data: EmissionsData): string[] {
  const tree = data.trackingMode === 'machine' ? started.run.usedByTree() : undefined
  if (tree === undefined || data.energyConsumed === undefined || data.energyConsumed === 0) return []
  const energy = totalEnergy(tree).value * data.pue
  if (energy === 0) return ['too short, or too idle, to tell: the system counts CPU time in steps of 10 ms']
  const share = formatShare(energy / fromKilowattHours(data.energyConsumed))
  const figure = formatEnergy(energy, fromKilowattHours(data.energyConsumed))
  return [`${figure} of the above (${share}), by its shares of CPU time and of memory`]
}

/** What tells a place that a machine may have for other reasons. */
const guesses: ReadonlySet<string> = new Set([
  'time zone',
  'IP lookup',
  'domain of a SLURM job',
  'host name or search domain',
])

/** What would turn estimates into measurements, and a guessed place into a known one. */
export function adviceFor(
  survey: Pick<Survey, 'detection' | 'host' | 'isPlaceGiven'>,
  place: PlaceRecord,
  scope: IntensityRecord['scope'],
): string[] {
  const advice: string[] = []
  const advise = ({ probe, reason, remedy }: Refusal): void => {
    if (remedy !== undefined) advice.push([`${probe}: ${reason}`, ...remedy.split('\n')].join('\n    '))
  }
  for (const { component, chosen, refused } of survey.detection.components) {
    if (chosen?.method === 'measured') continue
    refused.forEach(advise)
    if (chosen === undefined) advice.push(`${component}: unmeasured; run codecarbon detect`)
  }
  survey.host?.refused().forEach(advise)
  const told = place.toldBy ?? place.foundBy
  if (guesses.has(told) && scope !== 'given') {
    advice.push(
      `place taken from the ${told}: ${place.countryName ?? place.countryIsoCode}; if that is wrong, give --country-iso-code`,
    )
  }
  if (place.foundBy === 'none' && scope !== 'given' && !survey.isPlaceGiven) {
    advice.push(
      'place unknown: give --country-iso-code (countryIsoCode in code), or CODECARBON_COUNTRY_ISO_CODE=FRA',
    )
  }
  return [...new Set(advice)]
}
