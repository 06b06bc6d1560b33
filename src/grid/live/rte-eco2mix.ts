import { fieldsOf } from './json-fields.ts'
import { toGramsPerKwh, toTimeMs, unusable, type LiveProvider, type LiveValue } from './provider.ts'

/** Options of {@link createRteEco2mix}. */
export interface RteEco2mixOptions {
  /** @default 'https://odre.opendatasoft.com' */
  readonly baseUrl?: string | undefined
}

/**
 * éCO2mix of RTE, the operator of France's grid, in real time, from the open data of ODRÉ
 * (https://odre.opendatasoft.com/explore/dataset/eco2mix-national-tr/): mainland France each quarter of an hour, published about once an
 * hour, without a token, with a quota for each address. Direct emissions of the power stations in France: lower than the yearly lifecycle
 * figure, and not to be compared with it.
 */
export function createRteEco2mix(options: RteEco2mixOptions = {}): LiveProvider {
  const { baseUrl = 'https://odre.opendatasoft.com' } = options
  // The set has rows for the rest of the day already, without a figure.
  const query = new URLSearchParams({
    select: 'date_heure,taux_co2',
    where: 'taux_co2 is not null',
    order_by: 'date_heure desc',
    limit: '1',
  })
  return {
    name: 'RTE éCO2mix',
    area: 'France',
    scope: 'country',
    url: `${baseUrl}/api/explore/v2.1/catalog/datasets/eco2mix-national-tr/records?${query.toString()}`,
    headers: () => ({}),
    parse: parseRteEco2mix,
  }
}

/** Reads `{ total_count, results: [{ date_heure, taux_co2 }] }`. @throws IntensityUnavailable */
export function parseRteEco2mix(answer: unknown): LiveValue {
  const { results } = fieldsOf(answer)
  if (!Array.isArray(results) || results.length === 0) throw unusable('answered without any value')
  const row = fieldsOf(results[0])
  return {
    gramsPerKwh: toGramsPerKwh(row['taux_co2']),
    basis: 'direct',
    observedAtMs: toTimeMs(row['date_heure']),
    isEstimated: undefined,
  }
}
