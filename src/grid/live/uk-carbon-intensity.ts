import { fieldsOf } from './json-fields.ts'
import { toGramsPerKwh, toTimeMs, type LiveProvider, type LiveValue } from './provider.ts'

/** Options of {@link createUkCarbonIntensity}. */
export interface UkCarbonIntensityOptions {
  /** @default 'https://api.carbonintensity.org.uk' */
  readonly baseUrl?: string | undefined
}

/**
 * Carbon Intensity API of Great Britain's system operator, `GET /intensity` (https://carbon-intensity.github.io/api-definitions/): each
 * half-hour, without a token, CC-BY-4.0. Direct emissions: its factors for nuclear, wind, water and sun are zero
 * (https://github.com/carbon-intensity/methodology). Northern Ireland, which is of another grid, is not in it.
 */
export function createUkCarbonIntensity(options: UkCarbonIntensityOptions = {}): LiveProvider {
  const { baseUrl = 'https://api.carbonintensity.org.uk' } = options
  return {
    name: 'Carbon Intensity API (Great Britain)',
    area: 'Great Britain',
    scope: 'country',
    url: `${baseUrl}/intensity`,
    headers: () => ({}),
    parse: parseUkCarbonIntensity,
  }
}

/**
 * Reads `{ data: [{ from, to, intensity: { forecast, actual, index } }] }`. `actual` is null until the half-hour is over; the forecast
 * stands in, and counts as estimated.
 * @throws IntensityUnavailable
 */
export function parseUkCarbonIntensity(answer: unknown): LiveValue {
  const { data } = fieldsOf(answer)
  const period = fieldsOf(Array.isArray(data) ? data[0] : undefined)
  const { actual, forecast } = fieldsOf(period['intensity'])
  return {
    gramsPerKwh: toGramsPerKwh(actual ?? forecast),
    basis: 'direct',
    observedAtMs: toTimeMs(period['from']),
    isEstimated: (actual ?? undefined) === undefined,
  }
}
