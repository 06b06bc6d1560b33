import { fieldsOf } from './json-fields.ts'
import { toGramsPerKwh, toTimeMs, unusable, type LiveProvider, type LiveValue } from './provider.ts'

/** What Electricity Maps is asked about. */
export type ElectricityMapsArea =
  { readonly zone: string } | { readonly dataCenterProvider: string; readonly dataCenterRegion: string }

/** Options of {@link createElectricityMaps}. */
export interface ElectricityMapsOptions {
  readonly token: string
  readonly area: ElectricityMapsArea
  /** What the area is. */
  readonly scope: LiveProvider['scope']
  /** @default 'https://api.electricitymaps.com' */
  readonly baseUrl?: string | undefined
}

/**
 * Electricity Maps v3, `GET /v3/carbon-intensity/latest` (https://app.electricitymaps.com/developer-hub/api/reference): the consumption of
 * a zone by the hour, lifecycle, imports traced to where they come from. Needs a token; that of the free plan is for one zone.
 *
 * Where the service does not know the zone it answers for the place of the caller's own address unless
 * `shouldUseFallbackCallerLookup=false` forbids it: it always does here, and an answer for another zone is not used. Latitude and
 * longitude are never sent.
 */
export function createElectricityMaps(options: ElectricityMapsOptions): LiveProvider {
  const { token, area, scope, baseUrl = 'https://api.electricitymaps.com' } = options
  const query = new URLSearchParams({ ...area, shouldUseFallbackCallerLookup: 'false' })
  const zone = 'zone' in area ? area.zone : undefined
  return {
    name: 'Electricity Maps',
    area: 'zone' in area ? `zone ${area.zone}` : `${area.dataCenterProvider} ${area.dataCenterRegion}`,
    scope,
    url: `${baseUrl}/v3/carbon-intensity/latest?${query.toString()}`,
    headers: () => ({ 'auth-token': token }),
    tokenOption: 'electricitymaps_api_token',
    parse: (answer) => parseElectricityMaps(answer, zone),
  }
}

/**
 * Reads `{ zone, carbonIntensity, datetime, updatedAt, emissionFactorType, isEstimated, … }`.
 * @throws IntensityUnavailable
 */
export function parseElectricityMaps(answer: unknown, zone?: string): LiveValue {
  const fields = fieldsOf(answer)
  if (zone !== undefined && fields['zone'] !== zone) {
    throw unusable(`answered for another zone than ${zone}`)
  }
  const { emissionFactorType = 'lifecycle', isEstimated } = fields
  if (emissionFactorType !== 'lifecycle' && emissionFactorType !== 'direct') {
    throw unusable('answered with emissions that are neither lifecycle nor direct')
  }
  return {
    gramsPerKwh: toGramsPerKwh(fields['carbonIntensity']),
    basis: emissionFactorType,
    observedAtMs: toTimeMs(fields['datetime'] ?? fields['updatedAt']),
    isEstimated: typeof isEstimated === 'boolean' ? isEstimated : undefined,
  }
}
