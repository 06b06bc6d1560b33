import { nearest } from '../config/nearest.ts'
import { cloudProviders, cloudRegionNames, findCloudProvider, findCloudRegion } from './cloud-region.ts'
import {
  countries,
  countriesWithRegions,
  countryName,
  countryOfZone,
  findCountry,
  fold,
  subdivisionAnywhere,
  subdivisions,
} from './gazetteer.ts'
import type { CloudRegionRow, PlaceRow } from './tables.ts'

/** What somebody says about where a machine is. Case, accents and spaces around do not count. */
export interface PlaceQuery {
  /** ISO 3166-1 alpha-3 code (`FRA`); the alpha-2 code and the English name are understood as well. */
  readonly countryIsoCode?: string | undefined
  /** US state or Canadian province: `California`, `CA` or `US-CA`. */
  readonly region?: string | undefined
  /** `aws`, `azure`, `gcp` or `ovh`. */
  readonly cloudProvider?: string | undefined
  /** The provider's name of the region: `europe-west9`. */
  readonly cloudRegion?: string | undefined
  /** Zone of Electricity Maps whose carbon intensity counts, in place of the one that the place lies in: `US-CAL-CISO`, `DE`. */
  readonly zone?: string | undefined
}

/** Where a machine is taken to be. What is not known is `undefined`. */
export interface Place {
  /** ISO 3166-1 alpha-3. */
  readonly countryIsoCode: string | undefined
  /** In English. */
  readonly countryName: string | undefined
  /** The name of the US state or Canadian province; of other countries the region as it was given. */
  readonly region: string | undefined
  /** ISO 3166-2 code of the US state or Canadian province: `US-CA`. */
  readonly regionCode: string | undefined
  readonly cloudProvider: string | undefined
  readonly cloudRegion: string | undefined
  /** The zone of Electricity Maps that was given; not the one that the place lies in. */
  readonly zone: string | undefined
  /** The step that told the place: `none` where nothing did. */
  readonly foundBy: 'configuration' | 'environment' | 'cloud metadata' | 'time zone' | 'IP lookup' | 'none'
  /** Which of several sources of that step: `OTEL_RESOURCE_ATTRIBUTES`. */
  readonly toldBy?: string | undefined
}

/** Something about a place that could not be used as it was given. */
export interface PlaceProblem {
  /** What it is about: an option (`zone` is `electricitymapsZone` there), or the package that zones come from. */
  readonly subject: 'countryIsoCode' | 'region' | 'cloudProvider' | 'cloudRegion' | 'zone' | '@tgwf/co2'
  /** One sentence: what came, what was expected, the nearest known spelling. */
  readonly message: string
}

/** A place and what was wrong with the words for it. */
export interface ResolvedPlace {
  readonly place: Place
  readonly problems: readonly PlaceProblem[]
}

/**
 * Makes out which place is meant. Never throws: what is unknown is left out of the place and told as a problem, so that
 * an unknown region leaves the country, an unknown cloud region the country, and an unknown country nothing (the world
 * average). Where they disagree the cloud region counts more than the country, and both more than the zone, except for the carbon intensity:
 * Liechtenstein may well count with the zone of Switzerland.
 */
export function resolvePlace(query: PlaceQuery): ResolvedPlace {
  const problems: PlaceProblem[] = []
  const report: Report = (subject, message) => problems.push({ subject, message })
  const given = {
    country: trimmed(query.countryIsoCode),
    region: trimmed(query.region),
    provider: trimmed(query.cloudProvider),
    cloudRegion: trimmed(query.cloudRegion),
    zone: trimmed(query.zone),
  }

  const provider = given.provider === undefined ? undefined : resolveProvider(given.provider, report)
  // A region is not looked for among other providers where its own is unknown.
  const mayLook = given.cloudRegion !== undefined && (given.provider === undefined || provider !== undefined)
  const cloud = mayLook ? resolveCloudRegion(provider, given.cloudRegion, report) : undefined
  const country = given.country === undefined ? undefined : resolveCountry(given.country, report)
  if (cloud !== undefined && country !== undefined && cloud.countryIsoCode !== country.countryIsoCode) {
    report(
      'countryIsoCode',
      `countryIsoCode "${given.country}" disagrees with the cloud region ${given.cloudRegion}, which is in ${cloud.countryIsoCode}: the cloud region counts`,
    )
  }
  const zone = given.zone === undefined ? undefined : resolveZone(given.zone, report)
  const countryHint = (cloud ?? country ?? zone)?.countryIsoCode
  if (zone !== undefined && zone.countryIsoCode !== countryHint) {
    const [other, what] =
      cloud === undefined
        ? [`countryIsoCode "${given.country}"`, 'country']
        : [`the cloud region ${given.cloudRegion}, which is in ${countryHint}`, 'cloud region']
    report(
      'zone',
      `zone "${given.zone}" disagrees with ${other}: the zone counts for the carbon intensity, the ${what} for the place`,
    )
  }
  // Beside a country that nobody knows a region would be a guess.
  const mayGuess = countryHint !== undefined || given.country === undefined
  const region =
    mayGuess && given.region !== undefined ? resolveRegion(countryHint, given.region, report) : undefined
  const countryIsoCode = countryHint ?? region?.countryIsoCode
  if (provider !== undefined && given.cloudRegion === undefined && countryIsoCode === undefined) {
    report(
      'cloudProvider',
      `cloudProvider "${given.provider}" alone does not say where: give its region as well`,
    )
  }

  const regionCode = cloud?.regionCode ?? region?.code
  const place: Place = {
    countryIsoCode,
    countryName: countryIsoCode === undefined ? undefined : countryName(countryIsoCode),
    region: nameOfRegion(countryIsoCode, regionCode, given.region),
    regionCode,
    cloudProvider: cloud?.cloudProvider ?? provider,
    cloudRegion: cloud?.cloudRegion,
    zone: zone?.zone,
    foundBy: countryIsoCode === undefined ? 'none' : 'configuration',
  }
  return { place, problems }
}

/** The name of a state or province; the words of the user for the parts of other countries. What nobody knows is told as a problem and not as a place. */
function nameOfRegion(
  countryIsoCode: string | undefined,
  regionCode: string | undefined,
  given: string | undefined,
): string | undefined {
  if (countryIsoCode === undefined) return undefined
  if (regionCode !== undefined) return subdivisions(countryIsoCode).get(fold(regionCode))?.name ?? given
  return countriesWithRegions.includes(countryIsoCode) ? undefined : given
}

type Report = (subject: PlaceProblem['subject'], message: string) => void

/** An empty text is no answer. */
function trimmed(text: string | undefined): string | undefined {
  const word = text?.trim()
  return word === '' ? undefined : word
}

function resolveCountry(word: string, report: Report): PlaceRow | undefined {
  const found = findCountry(word)
  if (found !== undefined) return found
  const index = countries()
  const close = index.get(nearest(fold(word), index.keys()) ?? '')
  const hint = close === undefined ? '' : `; did you mean ${close.countryIsoCode} (${close.name})?`
  report(
    'countryIsoCode',
    `countryIsoCode "${word}" is not known: expected an ISO 3166-1 code such as FRA${hint}`,
  )
  return undefined
}

function resolveRegion(
  countryIsoCode: string | undefined,
  word: string,
  report: Report,
): PlaceRow | undefined {
  const elsewhere = subdivisionAnywhere(word)
  if (countryIsoCode === undefined) {
    if (elsewhere !== undefined) return elsewhere
    report('region', `region "${word}" says nothing without its country: give that as well`)
    return undefined
  }
  const name = countryName(countryIsoCode) ?? countryIsoCode
  if (!countriesWithRegions.includes(countryIsoCode)) {
    report(
      'region',
      `region "${word}" has no figure of its own: only US states and Canadian provinces have, so ${name} as a whole is used`,
    )
    return undefined
  }
  const index = subdivisions(countryIsoCode)
  const found = index.get(fold(word))
  if (found !== undefined) return found
  const kind =
    countryIsoCode === 'USA'
      ? 'US state such as California, CA or US-CA'
      : 'Canadian province such as Quebec, QC or CA-QC'
  const close = elsewhere ?? index.get(nearest(fold(word), index.keys()) ?? '')
  const hint = close === undefined ? '' : `; did you mean ${close.code} (${close.name})?`
  report('region', `region "${word}" is not known: expected a ${kind}${hint}`)
  return undefined
}

/**
 * A zone of Electricity Maps begins with the alpha-2 code of its country. Whether there is such a zone nobody knows here: the list comes with
 * its figures, and the live service has others.
 */
function resolveZone(
  word: string,
  report: Report,
): { readonly zone: string; readonly countryIsoCode: string } | undefined {
  const zone = word.toUpperCase().replace(/[\s_]+/g, '-')
  const country = /^[A-Z]{2}(-[A-Z0-9]+)*$/.test(zone) ? countryOfZone(zone) : undefined
  if (country !== undefined) return { zone, countryIsoCode: country.countryIsoCode }
  const [prefix = '', ...parts] = zone.split('-')
  const meant = findCountry(prefix)?.code
  const hint = meant === undefined ? '' : `; did you mean ${[meant, ...parts].join('-')}?`
  report(
    'zone',
    `zone "${word}" is not known: expected a zone of Electricity Maps, which begins with the two letters of its country, such as US-CAL-CISO or DE${hint}`,
  )
  return undefined
}

function resolveProvider(word: string, report: Report): string | undefined {
  const found = findCloudProvider(word)
  if (found !== undefined) return found
  const close = nearest(word, cloudProviders)
  const hint = close === undefined ? '' : `; did you mean ${close}?`
  report(
    'cloudProvider',
    `cloudProvider "${word}" is not known: expected ${cloudProviders.join(', ')}${hint}`,
  )
  return undefined
}

function resolveCloudRegion(
  provider: string | undefined,
  word: string | undefined,
  report: Report,
): CloudRegionRow | undefined {
  if (word === undefined) return undefined
  const found = findCloudRegion(provider, word)
  if (found !== undefined) return found
  const close = nearest(word, cloudRegionNames(provider))
  const hint = close === undefined ? '' : `; did you mean ${close}?`
  report(
    'cloudRegion',
    `cloudRegion "${word}" is not known: expected a region of ${provider ?? 'a cloud provider'}${hint}`,
  )
  return undefined
}
