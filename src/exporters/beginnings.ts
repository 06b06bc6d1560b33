import type { RunView } from '../core/exporter.ts'
import type { HostSeries } from '../core/host-share.ts'
import { metricTable, type MetricKey } from './metrics.ts'

/** Counters of the whole machine, and which of its series they belong to. All others are the run's own. */
export const hostCounters: Readonly<Partial<Record<MetricKey, HostSeries>>> = {
  hwHostEnergy: 'devices',
  hwEnergy: 'devices',
  componentEnergy: 'components',
  energyBound: 'components',
  unattributedEnergy: 'components',
  emissions: 'components',
  emissionsBound: 'components',
  embodiedEmissions: 'components',
  waterVolume: 'components',
}

const hostSeriesByName = new Map<string, HostSeries>(
  Object.entries(hostCounters).map(([key, series]) => [metricTable[key as MetricKey].name, series]),
)

/**
 * When what a metric counts began, in milliseconds since 1970: with the run, or when that took over to tell of the machine. A series that turns up
 * later, such as one of errors, was at zero until then.
 */
export function begunMs({ begunMs: runMs, host }: RunView, metricName: string): number {
  const series = hostSeriesByName.get(metricName)
  return (series === undefined ? undefined : host.begunMs[series]) ?? runMs
}
