import { EnergyError } from '../core/errors.ts'
import { nearest } from '../config/nearest.ts'
import { findCloudRegion } from './cloud-region.ts'
import { countryName, countryOfZone, findCountry } from './gazetteer.ts'
import { resolvePlace, type Place, type PlaceProblem, type PlaceQuery } from './place.ts'
import { cloudTable, gridTable, type CloudRegionRow, type GridRow } from './tables.ts'
import { zonePackage } from './zones/zone-package.ts'
import { zonesFor, type ZoneAnswer, type ZoneSource } from './zones/zone-table.ts'

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
  readonly scope: 'cloud region' | 'zone' | 'region' | 'country' | 'world'
  /** ISO 3166-1 alpha-3; `undefined` for the world. */
  readonly countryIsoCode: string | undefined
  /** ISO 3166-2 code of the state or province, name of the cloud region, or zone of Electricity Maps, where the figure is of one. */
  readonly region: string | undefined
}

/** A place, and which figures may be used. */
export interface IntensityQuery extends PlaceQuery {
  /** `table`: the tables of this package alone, also where `@tgwf/co2` is there. @default 'auto' */
  readonly intensitySource?: 'auto' | 'table' | undefined
}

/**
 * The yearly mean carbon intensity of electricity, in gCO2e/kWh, of the smallest known area around a place: cloud region,
 * US state or Canadian province, country, world. The steps that have no figure are passed over (a known country without
 * one, such as Liechtenstein, or an unknown `region`): `scope` says which area it is in the end.
 *
 * Where the program has the package `@tgwf/co2` (0.18 or later) among its dependencies, the figures of Electricity Maps' zones that come with it
 * (lifecycle, what is consumed in the zone) count for a `zone` that is given, for cloud regions whose provider publishes no figure, for
 * Canadian provinces, and for countries that the other sources leave out. `docs/adr/0007-electricity-maps-zones.md` says why.
 *
 * Sources: Ember (countries and world, lifecycle), US EPA eGRID2022 (states, direct), generation mix of 2023 with IPCC
 * AR5 factors (provinces, lifecycle), Google (its cloud regions, direct: "operational gross emissions", says its page); `ATTRIBUTION.md` has
 * them all.
 *
 * @throws {EnergyError} `ERR_PLACE_UNKNOWN` for a country, cloud provider, cloud region or zone that is not known, or that
 *   contradict each other; and for a zone where `@tgwf/co2` is not there.
 *
 * @example
 * carbonIntensity({ countryIsoCode: 'FRA' }).gramsPerKwh // 44.18, Ember, 2024
 * carbonIntensity({ countryIsoCode: 'CAN', region: 'Québec' }).gramsPerKwh // 27.4
 * carbonIntensity({ cloudProvider: 'gcp', cloudRegion: 'europe-west9' }).scope // 'cloud region'
 * carbonIntensity({ zone: 'US-CAL-CISO' }).source // 'Electricity Maps, zone US-CAL-CISO, by @tgwf/co2 0.19.0'
 */
export function carbonIntensity(query: IntensityQuery): CarbonIntensity {
  const { place, problems } = resolvePlace(query)
  const wrong = problems.find(({ subject }) => subject !== 'region')
  if (wrong !== undefined) throw new EnergyError('ERR_PLACE_UNKNOWN', wrong.message)
  const { intensity, problems: remarks } = intensityFor(place, zonesFor(query.intensitySource))
  const missing =
    place.zone === undefined ? undefined : remarks.find(({ subject }) => aboutZones.has(subject))
  if (missing !== undefined) throw new EnergyError('ERR_PLACE_UNKNOWN', missing.message)
  return intensity
}

const aboutZones: ReadonlySet<PlaceProblem['subject']> = new Set(['zone', '@tgwf/co2'])

/** A carbon intensity and what its user should know. */
export interface IntensityAnswer {
  readonly intensity: CarbonIntensity
  readonly problems: readonly PlaceProblem[]
}

/** The carbon intensity of a resolved place; falls back instead of throwing, and says so. */
export function intensityFor(
  place: Pick<Place, 'countryIsoCode' | 'regionCode' | 'cloudProvider' | 'cloudRegion' | 'zone'>,
  zones: ZoneSource = zonesFor('auto'),
): IntensityAnswer {
  const { countryIsoCode, regionCode, cloudProvider, cloudRegion, zone } = place
  let answer: ZoneAnswer | undefined
  // Loaded for a place that has a zone and no better figure, not for others.
  const ofZone = (name: string | undefined): CarbonIntensity | undefined =>
    name === undefined ? undefined : zoneFigure(name, (answer ??= zones()))

  const cloud = cloudRegion === undefined ? undefined : findCloudRegion(cloudProvider, cloudRegion)
  const intensity =
    ofZone(zone) ??
    publishedFor(cloud) ??
    ofZone(cloud?.electricityMapsZone) ??
    ofZone(zoneOfProvince(regionCode)) ??
    ofGrid(countryIsoCode, regionCode) ??
    ofGrid(countryIsoCode) ??
    ofZone(countryIsoCode === undefined ? undefined : findCountry(countryIsoCode)?.code) ??
    ofWorld()
  const problems = [...remarksOnZone(zone, answer, intensity), ...remarksOn(intensity, countryIsoCode)]
  return { intensity, problems }
}

/** What the provider itself says of a region. */
function publishedFor(row: CloudRegionRow | undefined): CarbonIntensity | undefined {
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

function zoneFigure(zone: string, answer: ZoneAnswer): CarbonIntensity | undefined {
  const row = answer.rows?.get(zone)
  if (answer.rows === undefined || row === undefined) return undefined
  return {
    gramsPerKwh: row.gramsPerKwh,
    year: row.year,
    source: `Electricity Maps, zone ${zone}, by ${nameOfPackage(answer.version)}`,
    basis: 'lifecycle',
    quality: 'ok',
    scope: 'zone',
    countryIsoCode: countryOfZone(zone)?.countryIsoCode,
    region: zone,
  }
}

const nameOfPackage = (version: string | undefined): string =>
  [zonePackage, version].filter((word) => word !== undefined).join(' ')

/** Provinces of Canada are zones. US states are not, whatever their names: a state spans balancing areas, and `US-AK` is a part of Alaska. */
const zoneOfProvince = (regionCode: string | undefined): string | undefined =>
  regionCode?.startsWith('CA-') === true ? regionCode : undefined

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

/** What the user should know of the zone that was asked for, and of figures of zones that could not be used. */
function remarksOnZone(
  zone: string | undefined,
  answer: ZoneAnswer | undefined,
  { scope, countryIsoCode, region }: CarbonIntensity,
): PlaceProblem[] {
  if (answer === undefined) return []
  const used = `that of ${region ?? countryName(countryIsoCode ?? '') ?? 'the world'} is used`
  if (answer.rows === undefined && answer.isBroken) {
    return [{ subject: '@tgwf/co2', message: `${answer.why}; ${used}` }]
  }
  if (zone === undefined || (scope === 'zone' && region === zone)) return []
  return [
    { subject: 'zone', message: `zone "${zone}" has no yearly figure: ${whyNot(zone, answer)}; ${used}` },
  ]
}

function whyNot(zone: string, answer: ZoneAnswer): string {
  if (answer.rows === undefined) return answer.why
  const close = answer.rows.get(nearest(zone, answer.rows.keys()) ?? '')
  const hint = close === undefined ? '' : `; did you mean ${close.zone} (${close.name})?`
  return `expected one of the ${answer.rows.size} zones of ${nameOfPackage(answer.version)}${hint}`
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
