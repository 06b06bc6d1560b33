import { countriesWithRegions, findCountry } from '../gazetteer.ts'
import { resolvePlace, type PlaceQuery } from '../place.ts'
import { jsonOf, type Ask } from './ask.ts'
import { LookupFailure, toFailure, unusable, type Asked, type AskTools, type LocateStep } from './step.ts'

/** Options of {@link createIpLookup}. */
export interface IpLookupOptions {
  /** Addresses of the services without a slash at the end. @default 'https://get.geojs.io' and 'https://ipinfo.io' */
  readonly baseUrls?: Readonly<Partial<Record<'geojs' | 'ipinfo', string>>> | undefined
}

/** What a service said, and what of it was of no use. */
interface Said {
  readonly query: PlaceQuery
  readonly doubts: readonly LookupFailure[]
}

const hour = 60 * 60_000
const week = 7 * 24 * hour

/**
 * The country that the address of this machine's network is registered in, and the US state or Canadian province. The service sees that
 * address, as with any request, so this is for those who asked for it. Nothing more precise is read or kept.
 */
export function createIpLookup(options: IpLookupOptions = {}): LocateStep {
  const { geojs = 'https://get.geojs.io', ipinfo = 'https://ipinfo.io' } = options.baseUrls ?? {}
  const services = [
    { name: 'geojs.io', find: ({ begin }: AskTools) => askGeojs(begin, geojs) },
    { name: 'ipinfo.io', find: ({ begin }: AskTools) => askIpinfo(begin, ipinfo) },
  ]

  async function ask(tools: AskTools): Promise<Asked> {
    const failures: LookupFailure[] = []
    for (const { name, find } of services) {
      try {
        // One after the other: the second is asked where the first says nothing.
        // oxlint-disable-next-line no-await-in-loop -- the second service is the backup of the first
        const { query, doubts } = await find(tools)
        return { query, failures: [...failures, ...doubts.map((doubt) => doubt.of(name))] }
      } catch (error) {
        failures.push(toFailure(error).of(name))
      }
    }
    const busy = failures.filter(({ kind }) => kind === 'too many requests')
    if (busy.length === 0) return { failures }
    return { failures, pauseMs: Math.max(...busy.map(({ retryAfterMs }) => retryAfterMs ?? hour)) }
  }
  return { foundBy: 'IP lookup', ask, keep: { key: 'IP lookup', forMs: week } }
}

const headers = { accept: 'application/json' }

/** https://www.geojs.io/docs/v1/endpoints/country/ gives no more than the country; the state is asked for where it has a figure. */
async function askGeojs(begin: () => Ask, baseUrl: string): Promise<Said> {
  const short = jsonOf(await begin()({ url: `${baseUrl}/v1/ip/country.json`, headers }))
  const country = countryOf(short['country'])
  if (short['country_3'] !== undefined && countryOf(short['country_3']) !== country) {
    throw unusable('names two countries at once')
  }
  if (!countriesWithRegions.includes(country)) return saying(country)
  try {
    const long = jsonOf(await begin()({ url: `${baseUrl}/v1/ip/geo.json`, headers }))
    if (countryOf(long['country_code']) !== country) throw unusable('names two countries at once')
    return saying(country, long['region'])
  } catch (error) {
    // The country is known all the same.
    return { query: { countryIsoCode: country }, doubts: [toFailure(error)] }
  }
}

/** https://ipinfo.io/developers */
async function askIpinfo(begin: () => Ask, baseUrl: string): Promise<Said> {
  const fields = jsonOf(await begin()({ url: `${baseUrl}/json`, headers }))
  return saying(countryOf(fields['country']), fields['region'])
}

/** The alpha-3 code of a code. @throws LookupFailure */
function countryOf(code: unknown): string {
  if (typeof code !== 'string' || !/^[A-Z]{2,3}$/.test(code)) throw unusable('answered without a country')
  const country = findCountry(code)?.countryIsoCode
  // The table has the world as well.
  if (country !== undefined && country !== 'WLD') return country
  throw new LookupFailure('unknown place', `names the country ${code}, which is not known`)
}

function saying(countryIsoCode: string, region?: unknown): Said {
  if (!countriesWithRegions.includes(countryIsoCode)) return { query: { countryIsoCode }, doubts: [] }
  const name = typeof region === 'string' ? region.trim() : ''
  const query = { countryIsoCode, region: name }
  if (name !== '' && resolvePlace(query).place.regionCode !== undefined) return { query, doubts: [] }
  const message = /^[\p{L} .'’-]{1,60}$/u.test(name)
    ? `names the region ${name}, which is not known`
    : 'answered without the region'
  return { query: { countryIsoCode }, doubts: [new LookupFailure('unknown place', message)] }
}
