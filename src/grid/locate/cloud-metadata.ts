import { resolvePlace, type PlaceQuery } from '../place.ts'
import { jsonOf, type Ask } from './ask.ts'
import type { Cloud, CloudsHere } from './clouds-here.ts'
import { LookupFailure, toFailure, unusable, type Asked, type LocateStep } from './step.ts'
import { regionOfZone } from './availability-zone.ts'

/** Options of {@link createCloudMetadata}. */
export interface CloudMetadataOptions {
  readonly here: CloudsHere
  /** A name for the time since this machine was started; `undefined` where there is none. It tells nothing about who or where. */
  readonly bootId: string | undefined
  /** Addresses of the services without a slash at the end. @default 'http://169.254.169.254', the same for all */
  readonly baseUrls?: Readonly<Partial<Record<Cloud, string>>> | undefined
}

/** How a cloud is asked for the region that this machine is in. */
interface MetadataService {
  readonly name: string
  /** @throws LookupFailure */
  readonly findRegion: (ask: Ask, baseUrl: string) => Promise<string>
  /** What to do where it keeps silent. */
  readonly remedy?: string
}

const services: Readonly<Record<Cloud, MetadataService>> = {
  aws: {
    name: 'the metadata service of AWS',
    findRegion: findAwsRegion,
    remedy: 'in a container its hop limit has to be 2 or more (http-put-response-hop-limit)',
  },
  azure: { name: 'the metadata service of Azure', findRegion: findAzureRegion },
  gcp: { name: 'the metadata server of Google Cloud', findRegion: findGcpRegion },
}

const linkLocal = 'http://169.254.169.254'
const hour = 60 * 60_000
const week = 7 * 24 * hour

/**
 * Asks the clouds that this machine may be of, at once, for the region it is in. Plain HTTP to a link-local address that no router
 * passes on; only the region is read. What was found holds until the next start of the machine, or for an hour where that cannot be told.
 */
export function createCloudMetadata(options: CloudMetadataOptions): LocateStep {
  const { here, bootId, baseUrls = {} } = options
  if (here.clouds.length === 0) return { foundBy: 'cloud metadata' }

  async function ask(begin: () => Ask): Promise<Asked> {
    // One budget for all of them.
    const askWithin = begin()
    const results: readonly (PlaceQuery | LookupFailure)[] = await Promise.all(
      here.clouds.map(async (cloud) => {
        try {
          return await findPlace(cloud, askWithin, baseUrls[cloud] ?? linkLocal)
        } catch (error) {
          return withRemedy(toFailure(error), services[cloud])
        }
      }),
    )
    const failures = results.filter((result) => result instanceof LookupFailure)
    const [found, ...others] = results.filter(
      (result): result is PlaceQuery => !(result instanceof LookupFailure),
    )
    if (found !== undefined && others.length === 0) return { query: found, failures: [] }
    if (found !== undefined) {
      const names = [found, ...others].map(
        ({ cloudProvider, cloudRegion }) => `${cloudProvider} ${cloudRegion}`,
      )
      return { failures: [unusable(`cloud metadata contradicts itself (${names.join(', ')})`)] }
    }
    if (here.isSure) return { failures }
    // Most likely it is no cloud. Who answered nonsense is another matter.
    const answered = failures.filter(({ kind }) => !absences.has(kind))
    return { failures: answered, ...(answered.length === 0 ? { pauseMs: hour } : {}) }
  }
  return {
    foundBy: 'cloud metadata',
    ask: ({ begin }) => ask(begin),
    keep:
      bootId === undefined
        ? { key: 'cloud metadata', forMs: hour }
        : { key: `cloud metadata ${bootId}`, forMs: week },
  }
}

/** What every machine sees that is not of the cloud that is asked. */
const absences: ReadonlySet<LookupFailure['kind']> = new Set<LookupFailure['kind']>([
  'timeout',
  'unreachable',
  'refused',
])

const withRemedy = (failure: LookupFailure, { name, remedy }: MetadataService): LookupFailure => {
  const named = failure.of(name)
  return failure.kind === 'timeout' && remedy !== undefined
    ? new LookupFailure('timeout', `${named.message} (${remedy})`)
    : named
}

async function findPlace(cloudProvider: Cloud, ask: Ask, baseUrl: string): Promise<PlaceQuery> {
  const query = { cloudProvider, cloudRegion: await services[cloudProvider].findRegion(ask, baseUrl) }
  if (resolvePlace(query).place.countryIsoCode !== undefined) return query
  throw new LookupFailure('unknown place', `names the region ${query.cloudRegion}, which is in no table here`)
}

/**
 * Instance metadata, version 2: a token first, which a request that somebody was tricked into cannot get
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html). A local zone may be in another country
 * than its region (`us-east-1-bue-1a` is in Buenos Aires), so the zone has a say where it is given.
 */
async function findAwsRegion(ask: Ask, baseUrl: string): Promise<string> {
  const life = { 'x-aws-ec2-metadata-token-ttl-seconds': '60' }
  const token = await ask({ url: `${baseUrl}/latest/api/token`, method: 'PUT', headers: life })
  if (!/^[\x21-\x7e]{1,1000}$/.test(token.text)) throw unusable('answered with something that is no token')
  const headers = { 'x-aws-ec2-metadata-token': token.text }
  const placement = `${baseUrl}/latest/meta-data/placement`
  const [region, zone] = await Promise.all([
    ask({ url: `${placement}/region`, headers }).then(({ text }) => text.trim()),
    // Nothing is lost where only this cannot be had.
    ask({ url: `${placement}/availability-zone`, headers }).then(
      ({ text }) => text.trim(),
      () => undefined,
    ),
  ])
  if (!/^[a-z]{2}(?:-[a-z]{2,12}){1,3}-\d{1,2}$/.test(region))
    throw unusable('answered with something that is no region')
  if (zone === undefined || (/^[a-z]$/.test(zone.slice(region.length)) && zone.startsWith(region)))
    return region
  if (!/^[a-z0-9-]{1,64}$/.test(zone)) throw unusable('answered with something that is no zone')
  throw new LookupFailure(
    'unknown place',
    `names the zone ${zone}, which is elsewhere than its region ${region}`,
  )
}

/** https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service. Of what it tells only the location is read. */
async function findAzureRegion(ask: Ask, baseUrl: string): Promise<string> {
  const url = `${baseUrl}/metadata/instance/compute?api-version=2021-02-01`
  const { location } = jsonOf(await ask({ url, headers: { metadata: 'true' } }))
  if (typeof location !== 'string' || !/^[A-Za-z][A-Za-z0-9 ]{1,40}$/.test(location)) {
    throw unusable('answered without a location')
  }
  return location.toLowerCase().replaceAll(' ', '')
}

/**
 * https://cloud.google.com/compute/docs/metadata/querying-metadata: `projects/NUMBER/zones/europe-west10-a`.
 */
async function findGcpRegion(ask: Ask, baseUrl: string): Promise<string> {
  const url = `${baseUrl}/computeMetadata/v1/instance/zone`
  const { headers, text } = await ask({ url, headers: { 'metadata-flavor': 'Google' } })
  if (headers.get('metadata-flavor') !== 'Google')
    throw unusable('answered without the header Metadata-Flavor: Google')
  const zone = /^projects\/[\w.:-]{1,64}\/zones\/([a-z0-9-]{1,64})$/.exec(text.trim())?.[1]
  const region = zone === undefined ? undefined : regionOfZone('gcp', zone)
  if (region !== undefined) return region
  if (zone === undefined) throw unusable('answered with something that is no zone')
  throw new LookupFailure('unknown place', `names the zone ${zone}, which is of no known region`)
}
