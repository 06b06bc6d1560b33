import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import {
  carbonIntensity,
  intensityFor,
  type CarbonIntensity,
  type IntensityQuery,
} from '../../src/grid/intensity.ts'
import { resolvePlace, type PlaceQuery } from '../../src/grid/place.ts'
import type { ZoneAnswer } from '../../src/grid/zones/zone-table.ts'

const table = (name: string): { rows: (string | number | null)[][] } =>
  JSON.parse(readFileSync(`data/${name}.json`, 'utf8')) as { rows: (string | number | null)[][] }
/** The tables of this package alone. */
const ours = (query: IntensityQuery): CarbonIntensity =>
  carbonIntensity({ ...query, intensitySource: 'table' })
const worldAverage = { gramsPerKwh: 472.94, year: 2024, scope: 'world', countryIsoCode: undefined }

describe('the carbon intensity of a place', () => {
  it('is of the country, with year, source and basis', () => {
    expect(carbonIntensity({ countryIsoCode: 'FRA' })).toEqual({
      gramsPerKwh: 44.18,
      year: 2024,
      source: 'Ember, Yearly Electricity Data',
      basis: 'lifecycle',
      quality: 'ok',
      scope: 'country',
      countryIsoCode: 'FRA',
      region: undefined,
    })
  })

  it('is of the state or province where it is known', () => {
    expect(carbonIntensity({ countryIsoCode: 'USA', region: 'California' })).toMatchObject({
      gramsPerKwh: 207.5,
      year: 2022,
      basis: 'direct',
      scope: 'region',
      region: 'US-CA',
      source: 'US EPA, eGRID2022',
    })
    expect(ours({ countryIsoCode: 'CAN', region: 'Québec' })).toMatchObject({
      gramsPerKwh: 27.4,
      quality: 'derived',
      region: 'CA-QC',
    })
  })

  it('is of the cloud region where its provider publishes one', () => {
    expect(carbonIntensity({ cloudProvider: 'gcp', cloudRegion: 'europe-west9' })).toMatchObject({
      gramsPerKwh: 16.3,
      // https://github.com/GoogleCloudPlatform/region-carbon-info: "average operational gross emissions"
      basis: 'direct',
      scope: 'cloud region',
      countryIsoCode: 'FRA',
      region: 'europe-west9',
    })
  })

  it('is else of the state, province or country that the cloud region is in', () => {
    expect(ours({ cloudProvider: 'aws', cloudRegion: 'us-east-1' })).toMatchObject({
      gramsPerKwh: 267.6,
      scope: 'region',
      region: 'US-VA',
    })
    expect(ours({ cloudProvider: 'azure', cloudRegion: 'westeurope' })).toMatchObject({
      gramsPerKwh: 252.7,
      scope: 'country',
      countryIsoCode: 'NLD',
    })
  })

  it('is of the country where the region is not known', () => {
    expect(carbonIntensity({ countryIsoCode: 'USA', region: 'Atlantis' })).toMatchObject({
      gramsPerKwh: 383.55,
      scope: 'country',
    })
  })

  it('is of the world where nothing is said, and where a country has no figure', () => {
    expect(carbonIntensity({})).toMatchObject(worldAverage)
    expect(carbonIntensity({ countryIsoCode: 'LIE' })).toMatchObject(worldAverage)
    expect(carbonIntensity({ countryIsoCode: 'WLD' })).toMatchObject(worldAverage)
  })

  it('may be zero', () => {
    expect(carbonIntensity({ countryIsoCode: 'CAF' })).toMatchObject({
      gramsPerKwh: 0,
      scope: 'country',
      quality: 'low',
    })
  })

  it.each([
    { countryIsoCode: 'FRN' },
    { cloudProvider: 'gcp', cloudRegion: 'europe-wset9' },
    { cloudProvider: 'amazn', cloudRegion: 'us-east-1' },
    { countryIsoCode: 'FRA', cloudProvider: 'aws', cloudRegion: 'us-east-1' },
    { zone: 'US-CAL-CISOO' },
    { zone: 'Atlantis' },
    { zone: 'DE', countryIsoCode: 'FRA' },
    { zone: 'DE', intensitySource: 'table' as const },
  ])('is refused for %o', (query) => {
    expect(() => carbonIntensity(query)).toThrow(expect.objectContaining({ code: 'ERR_PLACE_UNKNOWN' }))
  })

  it('can be told for every cloud region', () => {
    for (const [cloudProvider, cloudRegion, countryIsoCode] of table('cloud-regions').rows) {
      const query = { cloudProvider: String(cloudProvider), cloudRegion: String(cloudRegion) }
      const found = ours(query)
      expect({ ...query, ...found }).toMatchObject({ ...query, countryIsoCode })
      expect(found.scope).not.toBe('world')
    }
  })

  it('can be told for every row of the table by its codes', () => {
    for (const [country, region, gramsPerKwh, year] of table('grid-intensity').rows) {
      const found = ours({ countryIsoCode: String(country), region: region?.toString() })
      expect(found).toMatchObject({ gramsPerKwh, year, region: region ?? undefined })
    }
  })
})

describe('the answer for a resolved place', () => {
  const problemsFor = (countryIsoCode: string): string[] =>
    intensityFor(resolvePlace({ countryIsoCode }).place).problems.map(({ message }) => message)

  it('falls back to the world instead of throwing', () => {
    const { place } = resolvePlace({ countryIsoCode: 'FRN' })
    expect(intensityFor(place)).toMatchObject({ intensity: worldAverage, problems: [] })
  })

  it('says that a country has no figure', () => {
    expect(problemsFor('LIE')).toEqual([
      'no carbon intensity is known for Liechtenstein: the world average of 472.94 g/kWh is used',
    ])
  })

  it('warns of a figure that rests on little', () => {
    expect(problemsFor('FLK')).toEqual([
      'the carbon intensity of Falkland Islands (1000 g/kWh, 2022) is of a tiny system or an old record and may be far off',
    ])
    expect(problemsFor('FRA')).toEqual([])
  })
})

describe('the carbon intensity of a zone, by the package that brings it', () => {
  /** Its figures as they are there: none stands here, since they are under a share-alike licence. */
  const zones = createRequire(import.meta.url)('@tgwf/co2/data/electricity-maps') as Record<
    string,
    { data: Record<string, { carbonIntensity: { value: number } }> }
  >
  const newest = Math.max(
    ...Object.keys(zones).flatMap((key) => Number(/^yearly(\d+)$/.exec(key)?.[1] ?? [])),
  )
  const figureOf = (zone: string): object => ({
    gramsPerKwh: zones[`yearly${newest}`]?.data[zone]?.carbonIntensity.value,
    year: newest,
    scope: 'zone',
    basis: 'lifecycle',
    quality: 'ok',
    region: zone,
    source: expect.stringMatching(`^Electricity Maps, zone ${zone}, by @tgwf/co2 \\d`) as string,
  })

  it.each([
    [{ zone: 'us-cal-ciso' }, 'US-CAL-CISO', 'USA'],
    [{ zone: 'DE' }, 'DE', 'DEU'],
    [{ zone: 'US-TEX-ERCO', cloudProvider: 'gcp', cloudRegion: 'us-west1' }, 'US-TEX-ERCO', 'USA'],
    [{ cloudProvider: 'aws', cloudRegion: 'us-east-1' }, 'US-MIDA-PJM', 'USA'],
    [{ cloudProvider: 'azure', cloudRegion: 'westeurope' }, 'NL', 'NLD'],
    [{ countryIsoCode: 'CAN', region: 'Québec' }, 'CA-QC', 'CAN'],
    [{ countryIsoCode: 'CUW' }, 'CW', 'CUW'],
  ])('%j is that of %s', (query, zone, countryIsoCode) => {
    expect(carbonIntensity(query)).toEqual({ ...figureOf(zone), countryIsoCode })
  })

  it.each([
    [{ countryIsoCode: 'FRA' }, 'country'],
    [{ countryIsoCode: 'FLK' }, 'country'],
    [{ cloudProvider: 'gcp', cloudRegion: 'europe-west9' }, 'cloud region'],
    [{ countryIsoCode: 'USA', region: 'Hawaii' }, 'region'],
    [{ countryIsoCode: 'USA', region: 'Alaska' }, 'region'],
    [{}, 'world'],
    [{ countryIsoCode: 'LIE' }, 'world'],
  ])('has no part in %j', (query, scope) => {
    expect(carbonIntensity(query)).toEqual(ours(query))
    expect(carbonIntensity(query).scope).toBe(scope)
  })

  it('is known for every cloud region without a published figure', () => {
    for (const [cloudProvider, cloudRegion] of table('cloud-regions').rows) {
      const query = { cloudProvider: String(cloudProvider), cloudRegion: String(cloudRegion) }
      const { scope } = carbonIntensity(query)
      expect({ ...query, scope: scope === 'zone' ? 'cloud region' : scope }).toEqual({
        ...query,
        scope: 'cloud region',
      })
    }
  })
})

describe('a place whose zone has no figure', () => {
  const row = { zone: 'US-CAL-CISO', name: 'California ISO', gramsPerKwh: 1.5, year: 2025 }
  const some: ZoneAnswer = { rows: new Map([[row.zone, row]]), version: '0.20.0' }
  const none: ZoneAnswer = { why: 'nobody has it', isBroken: false }
  const broken: ZoneAnswer = {
    why: '@tgwf/co2 gives no figures of zones: it is older than 0.18',
    isBroken: true,
  }
  const ask = (query: PlaceQuery, answer: ZoneAnswer) => {
    const { intensity, problems } = intensityFor(resolvePlace(query).place, () => answer)
    return { intensity, told: problems.map(({ message }) => message) }
  }

  it('has that of the place, and a sentence with the nearest zone', () => {
    const { intensity, told } = ask({ zone: 'US-CAL-CSIO' }, some)
    expect(intensity).toEqual(carbonIntensity({ countryIsoCode: 'USA' }))
    expect(told).toEqual([
      'zone "US-CAL-CSIO" has no yearly figure: expected one of the 1 zones of @tgwf/co2 0.20.0; did you mean US-CAL-CISO (California ISO)?; that of United States is used',
    ])
  })

  it('has that of the place, and a reason, where there are no zones', () => {
    const { intensity, told } = ask({ zone: 'US-CAL-CISO', region: 'California' }, none)
    expect(intensity).toMatchObject({ scope: 'region', region: 'US-CA' })
    expect(told).toEqual(['zone "US-CAL-CISO" has no yearly figure: nobody has it; that of US-CA is used'])
  })

  it.each([
    { cloudProvider: 'aws', cloudRegion: 'us-east-1' },
    { countryIsoCode: 'CAN', region: 'Quebec' },
    { countryIsoCode: 'USA', zone: 'US-CAL-CISO' },
  ])('has ours and one problem where the package is broken: %j', (query) => {
    const { intensity, told } = ask(query, broken)
    const { zone: _, ...place } = { zone: undefined, ...query }
    expect(intensity).toEqual(ours(place))
    expect(told).toEqual([expect.stringMatching(/^@tgwf\/co2 .* older than 0\.18; that of [\w -]+ is used$/)])
  })

  it('has ours and no problem where nobody asked for a zone', () => {
    const cloud = { cloudProvider: 'aws', cloudRegion: 'us-east-1' }
    expect(ask(cloud, none)).toEqual({ intensity: ours(cloud), told: [] })
    // The package knows zones, but not this one.
    expect(ask(cloud, some)).toEqual({ intensity: ours(cloud), told: [] })
  })

  it('loads nothing for a place that has a figure of its own', () => {
    const { place } = resolvePlace({ countryIsoCode: 'USA', region: 'California' })
    expect(intensityFor(place, () => expect.fail('loaded')).problems).toEqual([])
  })
})
