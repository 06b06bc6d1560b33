import { describe, expect, it } from 'vitest'
import { resolvePlace, type PlaceQuery } from '../../src/grid/place.ts'

const place = (query: PlaceQuery): ReturnType<typeof resolvePlace>['place'] => resolvePlace(query).place
const messages = (query: PlaceQuery): string[] => resolvePlace(query).problems.map(({ message }) => message)

describe('the country', () => {
  it.each(['FRA', 'fra', ' FRA ', 'FR', 'fr', 'France', 'FRANCE'])(
    'is understood from "%s"',
    (countryIsoCode) => {
      expect(resolvePlace({ countryIsoCode })).toEqual({
        place: {
          countryIsoCode: 'FRA',
          countryName: 'France',
          region: undefined,
          regionCode: undefined,
          cloudProvider: undefined,
          cloudRegion: undefined,
          foundBy: 'configuration',
        },
        problems: [],
      })
    },
  )

  it.each([
    ['USA', 'United States'],
    ['KOR', 'South Korea'],
    ['XKX', 'Kosovo'],
    ['UK', 'United Kingdom'],
    ['CIV', "Côte d'Ivoire"],
    ['turkiye', 'Turkey'],
    ['WLD', 'World'],
  ])('"%s" is named %s', (countryIsoCode, name) => {
    expect(place({ countryIsoCode }).countryName).toBe(name)
  })

  it('that nobody knows is a problem that names the nearest, and no place', () => {
    expect(messages({ countryIsoCode: 'FRN' })).toEqual([
      'countryIsoCode "FRN" is not known: expected an ISO 3166-1 code such as FRA; did you mean FRA (France)?',
    ])
    expect(messages({ countryIsoCode: 'Germny' })[0]).toMatch(/did you mean DEU \(Germany\)\?$/)
    expect(messages({ countryIsoCode: 'qqqqq' })[0]).toMatch(/such as FRA$/)
    expect(place({ countryIsoCode: 'FRN' })).toMatchObject({ countryIsoCode: undefined, foundBy: 'none' })
    expect(place({ countryIsoCode: 'FRN', region: 'Quebec' })).toMatchObject({ foundBy: 'none' })
  })
})

describe('the region', () => {
  it.each([
    ['CAN', 'Québec', 'CA-QC'],
    ['CAN', 'quebec', 'CA-QC'],
    ['CAN', 'Que\u0301bec', 'CA-QC'],
    ['CAN', 'QC', 'CA-QC'],
    ['CAN', 'ca-qc', 'CA-QC'],
    ['CA', 'Colombie-Britannique', 'CA-BC'],
    ['CAN', 'nouvelle ecosse', 'CA-NS'],
    ['USA', 'california', 'US-CA'],
    ['USA', 'CA', 'US-CA'],
    ['USA', ' US-CA ', 'US-CA'],
    ['US', 'us_ca', 'US-CA'],
    ['USA', 'Washington, D.C.', 'US-DC'],
    ['USA', 'new  york', 'US-NY'],
  ])('of %s is understood from "%s"', (countryIsoCode, region, regionCode) => {
    const resolved = resolvePlace({ countryIsoCode, region })
    expect(resolved.place.regionCode).toBe(regionCode)
    expect(resolved.place.region).toMatch(/^[A-Z][a-z]/)
    expect(resolved.problems).toEqual([])
  })

  it('tells its country where its name alone does', () => {
    expect(place({ region: 'Quebec' })).toMatchObject({ countryIsoCode: 'CAN', regionCode: 'CA-QC' })
    expect(place({ region: 'US-TX' })).toMatchObject({ countryIsoCode: 'USA', regionCode: 'US-TX' })
    expect(messages({ region: 'CA' })).toEqual([
      'region "CA" says nothing without its country: give that as well',
    ])
  })

  it('that nobody knows is a problem, and leaves the country', () => {
    expect(messages({ countryIsoCode: 'USA', region: 'Calfornia' })).toEqual([
      'region "Calfornia" is not known: expected a US state such as California, CA or US-CA; did you mean US-CA (California)?',
    ])
    expect(place({ countryIsoCode: 'USA', region: 'Calfornia' })).toMatchObject({
      countryIsoCode: 'USA',
      regionCode: undefined,
      region: undefined,
    })
    expect(messages({ countryIsoCode: 'CAN', region: 'Texas' })[0]).toMatch(/did you mean US-TX \(Texas\)\?$/)
  })

  it('is called by its name, however it was told, also where a cloud region tells it', () => {
    expect(place({ countryIsoCode: 'CAN', region: 'QC' }).region).toBe('Quebec')
    expect(place({ cloudProvider: 'aws', cloudRegion: 'us-east-1' })).toMatchObject({
      regionCode: 'US-VA',
      region: 'Virginia',
    })
  })

  it('of a country without regions of its own is said to be unused', () => {
    expect(messages({ countryIsoCode: 'FRA', region: 'Bretagne' })).toEqual([
      'region "Bretagne" has no figure of its own: only US states and Canadian provinces have, so France as a whole is used',
    ])
  })
})

describe('the cloud region', () => {
  it.each([
    ['aws', 'us-east-1', 'USA', 'US-VA'],
    ['AWS', ' US-EAST-1 ', 'USA', 'US-VA'],
    ['aws', 'us-east-1b', 'USA', 'US-VA'],
    ['azure', 'West Europe', 'NLD', undefined],
    ['google', 'europe-west9', 'FRA', undefined],
    ['gcp', 'us-central1-a', 'USA', undefined],
    ['ovh', 'ca-beauharnois', 'CAN', 'CA-QC'],
    [undefined, 'eu-west-3', 'FRA', undefined],
  ])('%s "%s" is in %s', (cloudProvider, cloudRegion, countryIsoCode, regionCode) => {
    const { place: found, problems } = resolvePlace({ cloudProvider, cloudRegion })
    expect(found).toMatchObject({ countryIsoCode, regionCode, foundBy: 'configuration' })
    expect(problems).toEqual([])
  })

  it('is not taken for the region of another provider', () => {
    expect(messages({ cloudProvider: 'gcp', cloudRegion: 'us-east-1' })).toEqual([
      'cloudRegion "us-east-1" is not known: expected a region of gcp; did you mean us-east1?',
    ])
    expect(messages({ cloudProvider: 'azur', cloudRegion: 'westeurope' })).toEqual([
      'cloudProvider "azur" is not known: expected aws, azure, gcp, ovh; did you mean azure?',
    ])
  })

  it('that nobody knows leaves the country', () => {
    const query = { countryIsoCode: 'FRA', cloudProvider: 'gcp', cloudRegion: 'europe-wset9' }
    expect(messages(query)).toEqual([
      'cloudRegion "europe-wset9" is not known: expected a region of gcp; did you mean europe-west9?',
    ])
    expect(place(query)).toMatchObject({
      countryIsoCode: 'FRA',
      cloudProvider: 'gcp',
      cloudRegion: undefined,
    })
    expect(place({ cloudProvider: 'gcp', cloudRegion: 'nowhere' })).toMatchObject({ foundBy: 'none' })
  })

  it('counts more than a country that says otherwise', () => {
    const query = { countryIsoCode: 'FRA', cloudProvider: 'aws', cloudRegion: 'us-east-1' }
    expect(messages(query)).toEqual([
      'countryIsoCode "FRA" disagrees with the cloud region us-east-1, which is in USA: the cloud region counts',
    ])
    expect(place(query)).toMatchObject({
      countryIsoCode: 'USA',
      countryName: 'United States',
      regionCode: 'US-VA',
    })
  })

  it('is asked for where the provider is all there is', () => {
    expect(messages({ cloudProvider: 'aws' })).toEqual([
      'cloudProvider "aws" alone does not say where: give its region as well',
    ])
    expect(messages({ cloudProvider: 'aws', countryIsoCode: 'FRA' })).toEqual([])
  })
})

describe('the zone', () => {
  it.each(['US-CAL-CISO', ' us-cal-ciso ', 'us_cal_ciso'])(
    'is understood from "%s", and tells its country',
    (zone) => {
      expect(resolvePlace({ zone })).toMatchObject({
        place: { zone: 'US-CAL-CISO', countryIsoCode: 'USA', region: undefined, foundBy: 'configuration' },
        problems: [],
      })
    },
  )

  it.each([
    ['RU-1', 'RUS'],
    ['XK', 'XKX'],
    ['JP-TK', 'JPN'],
  ])('"%s" is in %s', (zone, countryIsoCode) => {
    expect(place({ zone })).toMatchObject({ zone, countryIsoCode })
  })

  it('tells the country of a region', () => {
    expect(place({ region: 'CA', zone: 'US-CAL-CISO' })).toMatchObject({ regionCode: 'US-CA' })
  })

  it.each([
    ['ZZ-A', /^zone "ZZ-A" is not known: expected a zone .* such as US-CAL-CISO or DE$/],
    ['USA-CAL', /did you mean US-CAL\?$/],
    ['UK', /did you mean GB\?$/],
    ['Germany', /did you mean DE\?$/],
    ['US--A', /expected a zone of Electricity Maps/],
    ['DE;', /expected a zone/],
    ['0', /expected a zone/],
  ])('"%s" is a problem, and no zone', (zone, message) => {
    expect(messages({ zone })).toEqual([expect.stringMatching(message)])
    expect(place({ zone })).toMatchObject({ zone: undefined, foundBy: 'none' })
    expect(place({ zone, countryIsoCode: 'FRA' })).toMatchObject({ zone: undefined, countryIsoCode: 'FRA' })
  })

  it('counts for the carbon intensity where it disagrees, and the other for the place', () => {
    const country = { countryIsoCode: 'LIE', zone: 'CH' }
    expect(messages(country)).toEqual([
      'zone "CH" disagrees with countryIsoCode "LIE": the zone counts for the carbon intensity, the country for the place',
    ])
    expect(place(country)).toMatchObject({ zone: 'CH', countryIsoCode: 'LIE' })
    const cloud = { cloudProvider: 'aws', cloudRegion: 'eu-west-3', zone: 'DE' }
    expect(messages(cloud)).toEqual([
      'zone "DE" disagrees with the cloud region eu-west-3, which is in FRA: the zone counts for the carbon intensity, the cloud region for the place',
    ])
    expect(place(cloud)).toMatchObject({ zone: 'DE', countryIsoCode: 'FRA', cloudRegion: 'eu-west-3' })
  })
})

it('nothing, or nothing but spaces, is no place and no problem', () => {
  const nothing = resolvePlace({})
  expect(nothing).toMatchObject({ place: { countryIsoCode: undefined, foundBy: 'none' }, problems: [] })
  expect(
    resolvePlace({ countryIsoCode: ' ', region: '', cloudProvider: '', cloudRegion: '', zone: ' ' }),
  ).toEqual(nothing)
})
