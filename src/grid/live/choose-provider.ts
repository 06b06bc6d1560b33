import { nearest } from '../../config/nearest.ts'
import type { ErrorCode } from '../../core/errors.ts'
import type { Problem } from '../../core/problem.ts'
import { findCloudRegion } from '../cloud-region.ts'
import { countryName, findCountry } from '../gazetteer.ts'
import type { Place } from '../place.ts'
import { createElectricityMaps, type ElectricityMapsArea } from './electricity-maps.ts'
import type { LiveProvider } from './provider.ts'
import { createRteEco2mix } from './rte-eco2mix.ts'
import { createUkCarbonIntensity } from './uk-carbon-intensity.ts'

/**
 * What the option `intensity_source` takes:
 * - `auto`: Electricity Maps where `electricitymaps_api_token` is given, else yearly figures. Services without a token are asked only
 *   where they are named, so that nothing is sent to anybody unless the user said so.
 * - `electricitymaps`: Electricity Maps; needs the token and a known place
 * - `uk`: Carbon Intensity API, for Great Britain only
 * - `rte`: RTE éCO2mix, for France only
 * - `table`: the yearly tables of this package, whatever else is given, and without the figures of zones that another package brings
 *
 * A forced intensity counts more than any of them, and `offline` makes no connection.
 */
export const intensitySources = ['auto', 'electricitymaps', 'uk', 'rte', 'table'] as const

/** One of {@link intensitySources}. */
export type IntensitySource = (typeof intensitySources)[number]

/** The options that decide, under their names in code. */
export interface ChooseOptions {
  /** One of {@link intensitySources}; anything else is refused with the nearest of them. */
  readonly intensitySource: string
  /** Never printed. */
  readonly electricitymapsApiToken?: string | undefined
  readonly offline?: boolean | undefined
  /** gCO2e/kWh. */
  readonly forceCarbonIntensityGCo2eKwh?: number | undefined
  /** Other addresses of the services, for tests. */
  readonly baseUrls?: Readonly<Partial<Record<'electricitymaps' | 'uk' | 'rte', string>>> | undefined
}

/** The place as `resolvePlace` gives it. */
export type ChoosePlace = Pick<
  Place,
  'countryIsoCode' | 'regionCode' | 'cloudProvider' | 'cloudRegion' | 'zone'
>

/** The service to ask, if any, and what the user should know. */
export interface ProviderChoice {
  /** `undefined`: the yearly figure, or the forced one. */
  readonly provider: LiveProvider | undefined
  readonly problems: readonly Problem[]
}

/** Which service is asked for the carbon intensity of a place. Opens nothing and never throws: what does not fit is told as a problem. */
export function chooseProvider(options: ChooseOptions, place: ChoosePlace): ProviderChoice {
  const { intensitySource: name, offline = false, forceCarbonIntensityGCo2eKwh: forced } = options
  const source = intensitySources.find((known) => known === name)
  if (source === undefined) return refused(unknownSource(name))
  if (source === 'table') return yearly
  const hasToken = tokenOf(options) !== undefined
  if (source === 'auto' && !hasToken) return yearly
  if (forced !== undefined || offline) {
    if (source === 'auto') return yearly
    const why =
      forced === undefined
        ? 'offline makes no connection'
        : 'force_carbon_intensity_g_co2e_kwh is given and counts'
    return refused(`intensity_source ${source}: not asked, since ${why}`)
  }
  if (source === 'uk') {
    if (place.countryIsoCode !== 'GBR') return wrongCountry(source, 'Great Britain', place)
    return chosen(createUkCarbonIntensity({ baseUrl: options.baseUrls?.uk }))
  }
  if (source === 'rte') {
    if (place.countryIsoCode !== 'FRA') return wrongCountry(source, 'France', place)
    return chosen(createRteEco2mix({ baseUrl: options.baseUrls?.rte }))
  }
  return chooseElectricityMaps(options, place)
}

const yearly: ProviderChoice = { provider: undefined, problems: [] }

const chosen = (provider: LiveProvider, ...problems: readonly Problem[]): ProviderChoice => ({
  provider,
  problems,
})

const problemOf = (message: string, code: ErrorCode = 'ERR_OPTION_INVALID'): Problem => ({
  code,
  subject: 'intensity_source',
  message,
})

const refused = (message: string, code?: ErrorCode): ProviderChoice => ({
  provider: undefined,
  problems: [problemOf(`${message}; the yearly figure is used`, code)],
})

function unknownSource(name: string): string {
  const close = nearest(name, intensitySources)
  const hint = close === undefined ? '' : `; did you mean ${close}?`
  const known = `${intensitySources.slice(0, -1).join(', ')} or ${intensitySources.at(-1)}`
  return `intensity_source "${name.slice(0, 100)}" is not known: expected ${known}${hint}`
}

function wrongCountry(source: IntensitySource, country: string, place: ChoosePlace): ProviderChoice {
  const message = `intensity_source ${source}: only for ${country}, `
  const code = place.countryIsoCode
  return code === undefined
    ? refused(`${message}and the place is not known: give country_iso_code`, 'ERR_PLACE_UNKNOWN')
    : refused(`${message}the place is ${countryName(code) ?? code}`)
}

function chooseElectricityMaps(options: ChooseOptions, place: ChoosePlace): ProviderChoice {
  const token = tokenOf(options)
  const subject = 'intensity_source electricitymaps:'
  if (token === undefined) return refused(`${subject} needs electricitymaps_api_token`)
  // What else there is would be refused by the HTTP client, in a message that quotes it.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    return refused('electricitymaps_api_token holds white space or characters that no token has')
  }
  const { area, scope, remark } = areaOf(place)
  if (area === undefined) {
    const known =
      place.countryIsoCode === undefined ? 'the place is not known' : 'it has no zone for the place'
    return refused(`${subject} ${known}: give country_iso_code`, 'ERR_PLACE_UNKNOWN')
  }
  const provider = createElectricityMaps({ token, area, scope, baseUrl: options.baseUrls?.electricitymaps })
  return chosen(provider, ...(remark === undefined ? [] : [problemOf(remark, 'ERR_PLACE_UNKNOWN')]))
}

const tokenOf = ({ electricitymapsApiToken: token = '' }: ChooseOptions): string | undefined =>
  token.trim() === '' ? undefined : token.trim()

interface FoundArea {
  readonly area: ElectricityMapsArea | undefined
  readonly scope: LiveProvider['scope']
  readonly remark?: string
}

/** Providers whose regions Electricity Maps knows by their own names (electricitymaps-contrib, `config/data_centers`). */
const dataCenterProviders = ['aws', 'azure', 'gcp']

function areaOf(place: ChoosePlace): FoundArea {
  const { zone, cloudProvider, cloudRegion, regionCode, countryIsoCode } = place
  if (zone !== undefined) return { area: { zone }, scope: 'zone' }
  const cloud = cloudRegion === undefined ? undefined : findCloudRegion(cloudProvider, cloudRegion)
  if (cloud !== undefined) {
    const isKnown = dataCenterProviders.includes(cloud.cloudProvider)
    const area = isKnown
      ? { dataCenterProvider: cloud.cloudProvider, dataCenterRegion: cloud.cloudRegion }
      : { zone: cloud.electricityMapsZone }
    return { area, scope: 'cloud region' }
  }
  if (regionCode !== undefined && isZone(regionCode)) return { area: { zone: regionCode }, scope: 'region' }
  const country = countryIsoCode === undefined ? undefined : findCountry(countryIsoCode)
  if (country?.code === undefined) return { area: undefined, scope: 'country' }
  const area = { zone: country.code }
  if (regionCode === undefined) return { area, scope: 'country' }
  const remark = `Electricity Maps has no zone ${regionCode}: ${country.name} as a whole is asked for`
  return { area, scope: 'country', remark }
}

/** Canada's provinces are zones, but for Newfoundland and Labrador, which is two; US states are not (electricitymaps-contrib, `config/zones`). */
const isZone = (regionCode: string): boolean => regionCode.startsWith('CA-') && regionCode !== 'CA-NL'
