import { EnergyError } from '../core/errors.ts'
import { findCloudRegion } from './cloud-region.ts'
import { countryName } from './gazetteer.ts'
import { resolvePlace, type Place, type PlaceProblem, type PlaceQuery } from './place.ts'
import { cloudTable, gridTable, type GridRow } from './tables.ts'

/** How green the electricity of a place is, over a year. */
export interface CarbonIntensity {
  /** Grams of CO2 equivalent per kilowatt-hour. Zero is a value. */
  readonly gramsPerKwh: number
  /** The year that the figure is about. */
  readonly year: number
  /** Who published it. */
  readonly source: string
  /** `lifecycle` counts the making of power stations and fuels, `direct` the stack only: they do not compare. */
  readonly basis: 'lifecycle' | 'direct'
  /** `derived`: calculated here from the generation mix; `low`: a tiny system or an old figure. */
  readonly quality: 'ok' | 'derived' | 'low'
  /** What the figure is of. */
  readonly scope: 'cloud region' | 'region' | 'country' | 'world'
  /** ISO 3166-1 alpha-3; `undefined` for the world. */
  readonly countryIsoCode: string | undefined
  /** ISO 3166-2 code of the state or province, or name of the cloud region, where the figure is of one. */
  readonly region: string | undefined
}

/**
 * The yearly mean carbon intensity of electricity, in gCO2e/kWh, of the smallest known area around a place: cloud region,
 * US state or Canadian province, country, world. The steps that have no figure are passed over (a known country without
 * one, such as Liechtenstein, or an unknown `region`): `scope` says which area it is in the end.
 *
 * Sources: Ember (countries and world, lifecycle), US EPA eGRID2022 (states, direct), generation mix of 2023 with IPCC
 * AR5 factors (provinces, lifecycle), Google (its cloud regions, direct: "operational gross emissions", says its page); `ATTRIBUTION.md` has
 * them all.
 *
 * @throws {EnergyError} `ERR_PLACE_UNKNOWN` for a country, cloud provider or cloud region that is not known, or that
 *   contradict each other.
 *
 * @example
 * carbonIntensity({ countryIsoCode: 'FRA' }).gramsPerKwh // 44.18, Ember, 2024
 * carbonIntensity({ countryIsoCode: 'CAN', region: 'Québec' }).gramsPerKwh // 27.4
 * carbonIntensity({ cloudProvider: 'gcp', cloudRegion: 'europe-west9' }).scope // 'cloud region'
 */
export function carbonIntensity(query: PlaceQuery): CarbonIntensity {
  const { place, problems } = resolvePlace(query)
  const problem = problems.find(({ subject }) => subject !== 'region')
  if (problem !== undefined) throw new EnergyError('ERR_PLACE_UNKNOWN', problem.message)
  return intensityFor(place).intensity
}

/** A carbon intensity and what its user should know. */
export interface IntensityAnswer {
  readonly intensity: CarbonIntensity
  readonly problems: readonly PlaceProblem[]
}

/** The carbon intensity of a resolved place; falls back instead of throwing, and says so. */
export function intensityFor(
  place: Pick<Place, 'countryIsoCode' | 'regionCode' | 'cloudProvider' | 'cloudRegion'>,
): IntensityAnswer {
  const intensity =
    ofCloudRegion(place) ??
    ofGrid(place.countryIsoCode, place.regionCode) ??
    ofGrid(place.countryIsoCode) ??
    ofWorld()
  return { intensity, problems: remarksOn(intensity, place.countryIsoCode) }
}

function ofCloudRegion({
  cloudProvider,
  cloudRegion,
}: Pick<Place, 'cloudProvider' | 'cloudRegion'>): CarbonIntensity | undefined {
  if (cloudRegion === undefined) return undefined
  const row = findCloudRegion(cloudProvider, cloudRegion)
  if (row?.gramsPerKwh === undefined) return undefined
  const { gramsPerKwh, year, basis, source, countryIsoCode } = row
  if (year === undefined || basis === undefined || source === undefined) return undefined
  return {
    gramsPerKwh,
    year,
    source: cloudTable().sources[source]?.title ?? source,
    basis,
    quality: 'ok',
    scope: 'cloud region',
    countryIsoCode,
    region: row.cloudRegion,
  }
}

/** The world's row of the table. */
const worldCode = 'WLD'

let gridIndex: ReadonlyMap<string, GridRow> | undefined

function ofGrid(countryIsoCode: string | undefined, regionCode?: string): CarbonIntensity | undefined {
  gridIndex ??= new Map(gridTable().rows.map((row) => [row.regionCode ?? row.countryIsoCode, row]))
  const row = countryIsoCode === undefined ? undefined : gridIndex.get(regionCode ?? countryIsoCode)
  if (row === undefined) return undefined
  const { gramsPerKwh, year, source, basis, quality } = row
  const isWorld = row.countryIsoCode === worldCode
  return {
    gramsPerKwh,
    year,
    source: gridTable().sources[source]?.title ?? source,
    basis,
    quality,
    scope: isWorld ? 'world' : row.regionCode === undefined ? 'country' : 'region',
    countryIsoCode: isWorld ? undefined : row.countryIsoCode,
    region: row.regionCode,
  }
}

/** Better than any one country where the place is unknown: being wrong by the same amount either way. */
function ofWorld(): CarbonIntensity {
  const world = ofGrid(worldCode)
  // scripts/build-data.js makes no table without it.
  if (world === undefined) throw new Error('data/grid-intensity.json has no world average')
  return world
}

function remarksOn(intensity: CarbonIntensity, countryIsoCode: string | undefined): PlaceProblem[] {
  const { scope, quality, gramsPerKwh, year } = intensity
  const subject = 'countryIsoCode'
  if (countryIsoCode !== undefined && countryIsoCode !== worldCode && scope === 'world') {
    const name = countryName(countryIsoCode) ?? countryIsoCode
    return [
      {
        subject,
        message: `no carbon intensity is known for ${name}: the world average of ${gramsPerKwh} g/kWh is used`,
      },
    ]
  }
  if (quality !== 'low') return []
  const name = countryName(intensity.countryIsoCode ?? '') ?? intensity.countryIsoCode
  return [
    {
      subject,
      message: `the carbon intensity of ${name} (${gramsPerKwh} g/kWh, ${year}) is of a tiny system or an old record and may be far off`,
    },
  ]
}
