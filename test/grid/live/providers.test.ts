import { describe, expect, it } from 'vitest'
import { createElectricityMaps, parseElectricityMaps } from '../../../src/grid/live/electricity-maps.ts'
import { IntensityUnavailable } from '../../../src/grid/live/provider.ts'
import { createRteEco2mix, parseRteEco2mix } from '../../../src/grid/live/rte-eco2mix.ts'
import {
  createUkCarbonIntensity,
  parseUkCarbonIntensity,
} from '../../../src/grid/live/uk-carbon-intensity.ts'

// The shapes are those of the services' public documentation: the figures are made up.

describe('an answer of Electricity Maps', () => {
  /** https://app.electricitymaps.com/developer-hub/api/reference, response of carbon-intensity/latest. */
  const answer = {
    zone: 'DE',
    carbonIntensity: 302,
    datetime: '2026-01-01T10:00:00.000Z',
    updatedAt: '2026-01-01T10:34:02.000Z',
    createdAt: '2025-12-29T10:40:11.000Z',
    emissionFactorType: 'lifecycle',
    isEstimated: true,
    estimationMethod: 'TIME_SLICER_AVERAGE',
  }

  it('gives grams, basis, time, and whether it is estimated', () => {
    expect(parseElectricityMaps(answer, 'DE')).toEqual({
      gramsPerKwh: 302,
      basis: 'lifecycle',
      observedAtMs: Date.UTC(2026, 0, 1, 10),
      isEstimated: true,
    })
  })

  it('may be short: then it is lifecycle, of the time of its update, and nobody says whether it is estimated', () => {
    const { zone, carbonIntensity, updatedAt } = answer
    expect(parseElectricityMaps({ zone, carbonIntensity, updatedAt }, 'DE')).toEqual({
      gramsPerKwh: 302,
      basis: 'lifecycle',
      observedAtMs: Date.parse(updatedAt),
      isEstimated: undefined,
    })
  })

  it.each([0, 0.5, 5000])('may be %d g/kWh', (carbonIntensity) => {
    expect(parseElectricityMaps({ ...answer, carbonIntensity }).gramsPerKwh).toBe(carbonIntensity)
  })

  it('may be direct', () => {
    expect(parseElectricityMaps({ ...answer, emissionFactorType: 'direct' }).basis).toBe('direct')
  })

  it.each([
    ['another zone', { ...answer, zone: 'US' }, /another zone than DE/],
    ['no zone', { ...answer, zone: undefined }, /another zone than DE/],
    ['-1', { ...answer, carbonIntensity: -1 }, /-1 g\/kWh, which cannot be/],
    ['NaN', { ...answer, carbonIntensity: Number.NaN }, /NaN g\/kWh, which cannot be/],
    ['1e9', { ...answer, carbonIntensity: 1e9 }, /which cannot be/],
    ['5000.1', { ...answer, carbonIntensity: 5000.1 }, /which cannot be/],
    ['a text', { ...answer, carbonIntensity: '302' }, /that is a number/],
    ['null', { ...answer, carbonIntensity: null }, /that is a number/],
    ['no time', { ...answer, datetime: undefined, updatedAt: undefined }, /without the time/],
    ['a time without zone', { ...answer, datetime: '2026-01-01T10:00' }, /without the time/],
    ['a number for a time', { ...answer, datetime: 1767261600000 }, /without the time/],
    ['no such day', { ...answer, datetime: '2026-13-45T10:00:00Z' }, /without the time/],
    ['another factor', { ...answer, emissionFactorType: 'marginal' }, /neither lifecycle nor direct/],
    ['a list', [answer], /another zone/],
    ['nothing', null, /another zone/],
  ])('with %s is of no use', (_what, changed, message) => {
    expect(() => parseElectricityMaps(changed, 'DE')).toThrow(message)
    expect(() => parseElectricityMaps(changed, 'DE')).toThrow(IntensityUnavailable)
  })
})

describe('an answer of the Carbon Intensity API', () => {
  /** https://carbon-intensity.github.io/api-definitions/#get-intensity */
  const answerWith = (intensity: object): object => ({
    data: [{ from: '2026-01-01T12:00Z', to: '2026-01-01T12:30Z', intensity }],
  })

  it('gives the actual figure, direct', () => {
    expect(parseUkCarbonIntensity(answerWith({ forecast: 266, actual: 263, index: 'moderate' }))).toEqual({
      gramsPerKwh: 263,
      basis: 'direct',
      observedAtMs: Date.UTC(2026, 0, 1, 12),
      isEstimated: false,
    })
  })

  it('gives the forecast, as an estimate, while the half-hour is not over', () => {
    expect(
      parseUkCarbonIntensity(answerWith({ forecast: 266, actual: null, index: 'moderate' })),
    ).toMatchObject({
      gramsPerKwh: 266,
      isEstimated: true,
    })
  })

  it('takes an actual zero for a zero', () => {
    expect(parseUkCarbonIntensity(answerWith({ forecast: 3, actual: 0 })).gramsPerKwh).toBe(0)
  })

  it.each([
    [{ data: [] }],
    [{ data: {} }],
    [answerWith({ forecast: null, actual: null })],
    [{}],
    [null],
    [''],
  ])('%j is of no use', (answer) => {
    expect(() => parseUkCarbonIntensity(answer)).toThrow(IntensityUnavailable)
  })
})

describe('an answer of éCO2mix', () => {
  /** Opendatasoft Explore API v2.1, records of eco2mix-national-tr with two of their fields. */
  const answer = { total_count: 3021, results: [{ date_heure: '2026-01-01T11:15:00+00:00', taux_co2: 23 }] }

  it('gives grams, direct', () => {
    expect(parseRteEco2mix(answer)).toEqual({
      gramsPerKwh: 23,
      basis: 'direct',
      observedAtMs: Date.UTC(2026, 0, 1, 11, 15),
      isEstimated: undefined,
    })
  })

  it.each([[{ total_count: 0, results: [] }], [{ results: [{ taux_co2: null }] }], [{}], [[]], [7]])(
    '%j is of no use',
    (wrong) => {
      expect(() => parseRteEco2mix(wrong)).toThrow(IntensityUnavailable)
    },
  )
})

describe('what is asked', () => {
  it('of Electricity Maps: never for the place of the caller, the token in a header alone', () => {
    const provider = createElectricityMaps({ token: 'secret', area: { zone: 'FR' }, scope: 'country' })
    expect(provider.url).toBe(
      'https://api.electricitymaps.com/v3/carbon-intensity/latest?zone=FR&shouldUseFallbackCallerLookup=false',
    )
    expect(provider.headers()).toEqual({ 'auth-token': 'secret' })
    expect(JSON.stringify(provider)).not.toContain('secret')
  })

  it('of Electricity Maps for a region of a cloud', () => {
    const area = { dataCenterProvider: 'gcp', dataCenterRegion: 'europe-west9' }
    expect(createElectricityMaps({ token: 'secret', area, scope: 'cloud region' }).url).toBe(
      'https://api.electricitymaps.com/v3/carbon-intensity/latest?dataCenterProvider=gcp&dataCenterRegion=europe-west9&shouldUseFallbackCallerLookup=false',
    )
  })

  it('of the others: no header at all', () => {
    expect(createUkCarbonIntensity()).toMatchObject({ url: 'https://api.carbonintensity.org.uk/intensity' })
    expect(createRteEco2mix().url).toBe(
      'https://odre.opendatasoft.com/api/explore/v2.1/catalog/datasets/eco2mix-national-tr/records?select=date_heure%2Ctaux_co2&where=taux_co2+is+not+null&order_by=date_heure+desc&limit=1',
    )
    expect([createUkCarbonIntensity().headers(), createRteEco2mix().headers()]).toEqual([{}, {}])
  })
})
