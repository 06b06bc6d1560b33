import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { carbonIntensity, intensityFor } from '../../src/grid/intensity.ts'
import { resolvePlace } from '../../src/grid/place.ts'

const table = (name: string): { rows: (string | number | null)[][] } =>
  JSON.parse(readFileSync(`data/${name}.json`, 'utf8')) as { rows: (string | number | null)[][] }
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
    expect(carbonIntensity({ countryIsoCode: 'CAN', region: 'Québec' })).toMatchObject({
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
    expect(carbonIntensity({ cloudProvider: 'aws', cloudRegion: 'us-east-1' })).toMatchObject({
      gramsPerKwh: 267.6,
      scope: 'region',
      region: 'US-VA',
    })
    expect(carbonIntensity({ cloudProvider: 'azure', cloudRegion: 'westeurope' })).toMatchObject({
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
  ])('is refused for %o', (query) => {
    expect(() => carbonIntensity(query)).toThrow(expect.objectContaining({ code: 'ERR_PLACE_UNKNOWN' }))
  })

  it('can be told for every cloud region', () => {
    for (const [cloudProvider, cloudRegion, countryIsoCode] of table('cloud-regions').rows) {
      const query = { cloudProvider: String(cloudProvider), cloudRegion: String(cloudRegion) }
      const found = carbonIntensity(query)
      expect({ ...query, ...found }).toMatchObject({ ...query, countryIsoCode })
      expect(found.scope).not.toBe('world')
    }
  })

  it('can be told for every row of the table by its codes', () => {
    for (const [country, region, gramsPerKwh, year] of table('grid-intensity').rows) {
      const found = carbonIntensity({ countryIsoCode: String(country), region: region?.toString() })
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
