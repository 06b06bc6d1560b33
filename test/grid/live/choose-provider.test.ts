import { describe, expect, it } from 'vitest'
import { specOf } from '../../../src/config/option-table.ts'
import {
  chooseProvider,
  intensitySources,
  type ChooseOptions,
} from '../../../src/grid/live/choose-provider.ts'
import { resolvePlace, type PlaceQuery } from '../../../src/grid/place.ts'

const token = 'tok-123-secret'

function choose(options: Partial<ChooseOptions>, query: PlaceQuery = { countryIsoCode: 'FRA' }) {
  const { place } = resolvePlace(query)
  const { provider, problems } = chooseProvider({ intensitySource: 'auto', ...options }, place)
  const told = problems.map(({ message }) => message)
  expect(JSON.stringify([problems, provider])).not.toContain('secret')
  return {
    name: provider?.name,
    area: provider?.area,
    scope: provider?.scope,
    url: provider?.url ?? '',
    told,
  }
}

it('the option takes what is understood here', () => {
  expect(specOf('intensitySource')).toMatchObject({ choices: intensitySources, default: 'auto' })
})

describe('intensity_source', () => {
  it.each([{}, { electricitymapsApiToken: '' }, { electricitymapsApiToken: ' ' }])(
    'auto without a token asks nobody (%j)',
    (options) => {
      expect(choose(options)).toMatchObject({ name: undefined, told: [] })
      expect(choose(options, { countryIsoCode: 'GBR' })).toMatchObject({ name: undefined, told: [] })
    },
  )

  it('auto with a token asks Electricity Maps', () => {
    expect(choose({ electricitymapsApiToken: token })).toMatchObject({
      name: 'Electricity Maps',
      area: 'zone FR',
      scope: 'country',
      told: [],
    })
  })

  it('table asks nobody', () => {
    expect(choose({ intensitySource: 'table', electricitymapsApiToken: token })).toMatchObject({
      name: undefined,
      told: [],
    })
  })

  it('uk and rte need no token', () => {
    expect(choose({ intensitySource: 'uk' }, { countryIsoCode: 'GB' }).area).toBe('Great Britain')
    expect(choose({ intensitySource: 'rte' }).name).toBe('RTE éCO2mix')
    expect(choose({ intensitySource: 'rte' }, { cloudRegion: 'europe-west9' }).name).toBe('RTE éCO2mix')
  })

  it.each([
    [
      { intensitySource: 'uk' },
      'FRA',
      /^intensity_source uk: only for Great Britain, the place is France; the year/,
    ],
    [{ intensitySource: 'rte' }, 'DEU', /^intensity_source rte: only for France, the place is Germany;/],
    [
      { intensitySource: 'rte' },
      undefined,
      /only for France, and the place is not known: give country_iso_code/,
    ],
    [{ intensitySource: 'electricitymaps' }, 'FRA', /needs electricitymaps_api_token/],
    [{ electricitymapsApiToken: token }, undefined, /the place is not known: give country_iso_code/],
    [{ electricitymapsApiToken: token }, 'WLD', /no zone for the place/],
    [{ electricitymapsApiToken: 'secret\nx' }, 'FRA', /electricitymaps_api_token holds white space/],
    [{ electricitymapsApiToken: 'secretß' }, 'FRA', /characters that no token has/],
    [
      { intensitySource: 'electricitymap' },
      'FRA',
      /"electricitymap" is not known: .* did you mean electricitymaps\?/,
    ],
    [
      { intensitySource: 'UKK' },
      'FRA',
      /expected auto, electricitymaps, uk, rte or table; did you mean uk\?/,
    ],
    [{ intensitySource: 'watttime' }, 'FRA', /expected auto, electricitymaps, uk, rte or table; the yearly/],
    [
      { intensitySource: 'rte', offline: true },
      'FRA',
      /^intensity_source rte: not asked, since offline makes no connection/,
    ],
    [
      { intensitySource: 'rte', forceCarbonIntensityGCo2eKwh: 0 },
      'FRA',
      /not asked, since force_carbon_intensity/,
    ],
  ])('%j in %s is refused with the reason', (options, countryIsoCode, message) => {
    const { name, told } = choose(options, { countryIsoCode })
    expect(name).toBeUndefined()
    expect(told).toEqual([expect.stringMatching(message)])
  })

  it.each([{ offline: true }, { forceCarbonIntensityGCo2eKwh: 0 }])(
    'auto gives way to %j in silence',
    (options) => {
      expect(choose({ ...options, electricitymapsApiToken: token })).toMatchObject({
        name: undefined,
        told: [],
      })
    },
  )
})

describe('the area that Electricity Maps is asked about', () => {
  const ask = (query: PlaceQuery) => choose({ electricitymapsApiToken: token }, query)

  it.each([
    [{ cloudProvider: 'gcp', cloudRegion: 'europe-west9' }, 'gcp europe-west9', 'cloud region'],
    [{ cloudProvider: 'azure', cloudRegion: 'West Europe' }, 'azure westeurope', 'cloud region'],
    [{ countryIsoCode: 'CAN', region: 'Quebec' }, 'zone CA-QC', 'region'],
    [{ countryIsoCode: 'GRC' }, 'zone GR', 'country'],
    [{ countryIsoCode: 'GBR', cloudRegion: 'no-such-region' }, 'zone GB', 'country'],
  ])('%j is %s', (query, area, scope) => {
    expect(ask(query)).toMatchObject({ area, scope, told: [] })
  })

  it('is a zone for clouds that it does not know', () => {
    expect(ask({ cloudProvider: 'ovh', cloudRegion: 'ca-beauharnois' })).toMatchObject({
      area: 'zone CA-QC',
      scope: 'cloud region',
    })
  })

  it('is the whole country where a state is no zone, and the user is told', () => {
    const { area, told } = ask({ countryIsoCode: 'USA', region: 'California' })
    expect(area).toBe('zone US')
    expect(told).toEqual(['Electricity Maps has no zone US-CA: United States as a whole is asked for'])
    expect(ask({ countryIsoCode: 'CAN', region: 'NL' }).area).toBe('zone CA')
  })

  it('is the zone that is given, whatever else is', () => {
    for (const query of [{}, { countryIsoCode: 'USA' }, { cloudProvider: 'aws', cloudRegion: 'us-east-1' }]) {
      expect(ask({ ...query, zone: 'us-cal-ciso' })).toMatchObject({
        area: 'zone US-CAL-CISO',
        scope: 'zone',
        told: [],
      })
    }
  })

  it('never holds latitude or longitude, nor a way back to the place of the caller', () => {
    for (const query of [{ countryIsoCode: 'FRA' }, { cloudRegion: 'europe-west9' }]) {
      const { searchParams } = new URL(ask(query).url)
      expect(searchParams.get('shouldUseFallbackCallerLookup')).toBe('false')
      expect([...searchParams.keys()].filter((key) => /^(lat|lon)/.test(key))).toEqual([])
    }
  })
})
