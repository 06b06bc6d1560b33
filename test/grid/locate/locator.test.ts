import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Problem } from '../../../src/core/problem.ts'
import { makeDirectory } from '../../../src/files/make-directory.ts'
import { httpRequest, type Fetch } from '../../../src/http/http-request.ts'
import { locateSteps, type LocateStepsOptions } from '../../../src/grid/locate/locate-steps.ts'
import { createLocator, type Locator, type LocatorOptions } from '../../../src/grid/locate/locator.ts'
import { fakeClock, type FakeClock } from '../../fixtures/fake-clock.ts'
import { fakeSysfs, type Tree } from '../../fixtures/fake-sysfs.ts'
import { startServer, type Answer, type LocalServer } from '../../fixtures/local-server.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

let clock: FakeClock
let folder: string
let problems: Problem[]
let notices: string[]

beforeEach(() => {
  clock = fakeClock()
  folder = temporaryFolder()
  problems = []
  notices = []
})

const cacheFile = (): string => join(folder, 'state/codecarbon/place.json')
const subjects = (): string[] => problems.map(({ subject }) => subject)

const laptop: Tree = { 'class/dmi/id/sys_vendor': 'LENOVO\n' }
const ec2: Tree = { 'class/dmi/id/sys_vendor': 'Amazon EC2\n' }
const azureVm: Tree = { 'class/dmi/id/chassis_asset_tag': '7783-7084-3265-9085-8269-3286-77\n' }
const gce: Tree = { 'class/dmi/id/product_name': 'Google Compute Engine\n' }
/** As in a micro-VM. */
const nobodyKnows: Tree = {}

/** Everything that is asked goes to one server of the test, as it does at 169.254.169.254. */
interface Machine extends Partial<Omit<LocateStepsOptions, 'sysfsPath' | 'procfsPath' | 'baseUrls'>> {
  readonly dmi?: Tree
  readonly bootId?: string
  readonly ipinfo?: string
}

const bootOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`

function create(
  url: string,
  { dmi = laptop, bootId = bootOf(1), ipinfo = url, ...machine }: Machine,
  options: Partial<LocatorOptions> = {},
): Locator {
  const steps = locateSteps({
    offline: false,
    environment: {},
    hostName: 'host',
    resolvConf: '/nowhere',
    timeZone: () => 'UTC',
    ...machine,
    sysfsPath: fakeSysfs(dmi).path,
    procfsPath: fakeSysfs({ 'sys/kernel/random/boot_id': `${bootId}\n` }).path,
    baseUrls: { aws: url, azure: url, gcp: url, geojs: url, ipinfo },
  })
  return createLocator({
    steps,
    clock,
    makeDirectory,
    random: () => 0,
    onProblem(problem) {
      problems.push(problem)
    },
    onNotice(message) {
      notices.push(message)
    },
    ...options,
  })
}

async function find(
  server: LocalServer | string,
  machine: Machine,
  options?: Partial<LocatorOptions>,
): Promise<Locator> {
  const locator = create(typeof server === 'string' ? server : server.url, machine, options)
  locator.start()
  await locator.settled()
  return locator
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const raw =
  (text: string, status = 200, headers: Record<string, string> = {}): Handler =>
  (_request, response) => {
    response.writeHead(status, headers).end(text)
  }
const json = (value: object): Handler => raw(JSON.stringify(value))
const silence: Handler = () => undefined

/** A server that answers at these paths, and nowhere else. */
const routes =
  (answers: Readonly<Record<string, Handler>>): Answer =>
  (request, response) => {
    ;(answers[(request.url ?? '').split('?')[0] ?? ''] ?? raw('not found', 404))(request, response)
  }
const asked = ({ requests }: LocalServer): string[] =>
  requests.map(({ method, url }) => `${method} ${url}`).toSorted()

const paths = {
  token: '/latest/api/token',
  region: '/latest/meta-data/placement/region',
  zone: '/latest/meta-data/placement/availability-zone',
  azure: '/metadata/instance/compute',
  gcp: '/computeMetadata/v1/instance/zone',
  geojs: '/v1/ip/country.json',
  geojsRegion: '/v1/ip/geo.json',
  ipinfo: '/json',
}

/** Refuses whoever does not do as version 2 asks. */
function awsAt(region: string, zone: Handler = raw(`${region}a`)): Readonly<Record<string, Handler>> {
  const withToken =
    (next: Handler): Handler =>
    (request, response) => {
      const isKnown = request.headers['x-aws-ec2-metadata-token'] === 'dG9rZW4='
      ;(isKnown && request.method === 'GET' ? next : raw('', 401))(request, response)
    }
  return {
    [paths.token]: (request, response) => {
      const seconds = Number(request.headers['x-aws-ec2-metadata-token-ttl-seconds'])
      const isRight = request.method === 'PUT' && seconds >= 1 && seconds <= 21_600
      raw(isRight ? 'dG9rZW4=' : '', isRight ? 200 : 400)(request, response)
    },
    [paths.region]: withToken(raw(region)),
    [paths.zone]: withToken(zone),
  }
}

const azureAt = (location: unknown): Readonly<Record<string, Handler>> => ({
  [paths.azure]: (request, response) => {
    const isRight =
      request.headers['metadata'] === 'true' && (request.url ?? '').endsWith('?api-version=2021-02-01')
    ;(isRight ? json({ location, subscriptionId: 'secret' }) : raw('', 400))(request, response)
  },
})

const gcpAt = (
  zone: string,
  headers = { 'Metadata-Flavor': 'Google' },
): Readonly<Record<string, Handler>> => ({
  [paths.gcp]: (request, response) => {
    const isRight = request.headers['metadata-flavor'] === 'Google'
    ;(isRight ? raw(`projects/123456/zones/${zone}`, 200, headers) : raw('', 403))(request, response)
  },
})

const france = { country: 'FR', country_3: 'FRA', ip: '192.0.2.1', name: 'France' }

describe('a machine of a cloud', () => {
  it('of AWS is where its metadata says, asked with a token', async () => {
    const server = await startServer(routes(awsAt('eu-west-3')))
    const locator = await find(server, { dmi: ec2 })
    expect(locator.place()).toEqual({
      countryIsoCode: 'FRA',
      countryName: 'France',
      region: undefined,
      regionCode: undefined,
      cloudProvider: 'aws',
      cloudRegion: 'eu-west-3',
      foundBy: 'cloud metadata',
    })
    expect(asked(server)).toEqual([`GET ${paths.zone}`, `GET ${paths.region}`, `PUT ${paths.token}`])
    expect(problems).toEqual([])
    expect(notices).toEqual(['the place is France (aws eu-west-3; cloud metadata)'])
  })

  it.each(['westeurope', 'West Europe'])('of Azure is found by the location "%s"', async (location) => {
    const server = await startServer(routes(azureAt(location)))
    const locator = await find(server, { dmi: azureVm })
    expect(locator.place()).toMatchObject({
      countryIsoCode: 'NLD',
      cloudProvider: 'azure',
      cloudRegion: 'westeurope',
    })
    expect(asked(server)).toEqual([`GET ${paths.azure}?api-version=2021-02-01`])
  })

  it.each([
    ['europe-west10-a', 'europe-west10', 'DEU'],
    ['europe-west1-b', 'europe-west1', 'BEL'],
    ['us-central1-f', 'us-central1', 'USA'],
  ])('of Google in %s is in %s', async (zone, cloudRegion, countryIsoCode) => {
    const server = await startServer(routes(gcpAt(zone)))
    const locator = await find(server, { dmi: gce })
    expect(locator.place()).toMatchObject({ cloudProvider: 'gcp', cloudRegion, countryIsoCode })
  })

  it.each([
    ['AWS', awsAt('us-east-1'), 'us-east-1'],
    ['Azure', azureAt('francecentral'), 'francecentral'],
    ['Google', gcpAt('europe-west9-b'), 'europe-west9'],
  ])('whose firmware says nothing is found by asking all: %s', async (_cloud, answers, cloudRegion) => {
    const server = await startServer(routes(answers))
    const locator = await find(server, { dmi: nobodyKnows })
    expect(locator.place()).toMatchObject({ cloudRegion, foundBy: 'cloud metadata' })
    expect(problems).toEqual([])
  })

  it('counts more than its time zone, which stands in until then', async () => {
    const server = await startServer(silence)
    const locator = create(server.url, { dmi: ec2, timeZone: () => 'Europe/Paris' })
    expect(locator.place()).toBeUndefined()
    locator.start()
    expect(locator.place()).toMatchObject({ countryIsoCode: 'FRA', foundBy: 'time zone' })
    await server.asked(1)
    server.answerWith(routes(awsAt('us-east-1')))
    clock.advance(1)
    await locator.settled()
    expect(locator.place()).toMatchObject({ countryIsoCode: 'FRA', foundBy: 'time zone' })

    const second = await find(server, { dmi: ec2, timeZone: () => 'Europe/Paris' })
    expect(second.place()).toMatchObject({ regionCode: 'US-VA', foundBy: 'cloud metadata' })
    expect(notices.at(-1)).toBe(
      'the place is Virginia, United States (aws us-east-1; cloud metadata), not France (time zone)',
    )
  })

  it('in a local zone is not where its region is', async () => {
    const server = await startServer(routes(awsAt('us-east-1', raw('us-east-1-bue-1a'))))
    const locator = await find(server, { dmi: ec2 })
    expect(locator.place()).toBeUndefined()
    expect(problems).toMatchObject([
      {
        code: 'ERR_PLACE_UNKNOWN',
        subject: 'cloud metadata: unknown place',
        message:
          'the metadata service of AWS names the zone us-east-1-bue-1a, which is elsewhere than its region us-east-1; no place is known: give country_iso_code',
      },
    ])
  })

  it.each([
    ['is not there', raw('', 404)],
    ['is broken off', ((_request, response) => response.destroy()) satisfies Handler],
  ])('is found by its region where its zone %s', async (_what, zone) => {
    const server = await startServer(routes(awsAt('eu-west-1', zone)))
    expect((await find(server, { dmi: ec2 })).place()).toMatchObject({ cloudRegion: 'eu-west-1' })
  })

  it('is not asked where a variable of its services names the region', async () => {
    const server = await startServer(routes(awsAt('us-east-1')))
    const environment = { AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x', AWS_REGION: 'eu-west-1' }
    const locator = create(server.url, { dmi: ec2, environment })
    locator.start()
    expect(locator.place()).toMatchObject({ countryIsoCode: 'IRL', foundBy: 'environment' })
    await locator.settled()
    expect(server.requests).toEqual([])
  })

  it('is asked where a variable names a region that nobody knows', async () => {
    const server = await startServer(routes(awsAt('us-east-1')))
    const environment = { AWS_EXECUTION_ENV: 'AWS_ECS_EC2', AWS_REGION: 'mars-1' }
    expect((await find(server, { dmi: ec2, environment })).place()).toMatchObject({
      cloudRegion: 'us-east-1',
    })
    expect(problems.map(({ message }) => message)).toEqual([
      'the environment names the region "mars-1" of aws, which is in no table here; the place is taken to be Virginia, United States (aws us-east-1; cloud metadata)',
    ])
  })
})

describe('a cloud that lies', () => {
  const html = '<!doctype html><p>Sign in'
  const cut: Handler = (_request, response) => {
    response.writeHead(200, { 'content-length': '1000' }).write('eu-', () => response.destroy())
  }
  const huge: Handler = (_request, response) => {
    response.writeHead(200).end('a'.repeat(1_000_001))
  }
  const redirect = raw('', 302, { location: 'http://192.0.2.1/' })
  const token = raw('dG9rZW4=')

  it.each<[what: string, dmi: Tree, answers: Readonly<Record<string, Handler>>, kind: string]>([
    ['AWS with HTML for a token', ec2, { [paths.token]: raw(html) }, 'unusable answer'],
    ['AWS with nothing for a token', ec2, { [paths.token]: raw('') }, 'unusable answer'],
    ['AWS with a token for a header of its own', ec2, { [paths.token]: raw('a\r\nb: c') }, 'unusable answer'],
    [
      'AWS with HTML for a region',
      ec2,
      { [paths.token]: token, [paths.region]: raw(html) },
      'unusable answer',
    ],
    [
      'AWS with JSON for a region',
      ec2,
      { [paths.token]: token, [paths.region]: json([1]) },
      'unusable answer',
    ],
    ['AWS with an empty region', ec2, { [paths.token]: token, [paths.region]: raw('') }, 'unusable answer'],
    ['AWS with HTML for a zone', ec2, awsAt('eu-west-1', raw(html)), 'unusable answer'],
    ['AWS with a region nobody knows', ec2, awsAt('eu-mars-1'), 'unknown place'],
    ['AWS without its token', ec2, { [paths.token]: raw('', 403) }, 'refused'],
    ['AWS with a redirect', ec2, { [paths.token]: redirect }, 'redirect'],
    ['AWS with a huge region', ec2, { [paths.token]: token, [paths.region]: huge }, 'too large'],
    ['AWS with half a region', ec2, { [paths.token]: token, [paths.region]: cut }, 'unreachable'],
    ['AWS that is busy', ec2, { [paths.token]: raw('', 503) }, 'too many requests'],
    ['Azure with HTML', azureVm, { [paths.azure]: raw(html) }, 'unusable answer'],
    ['Azure with an error', azureVm, { [paths.azure]: json({ error: 'x' }) }, 'unusable answer'],
    ['Azure with a number', azureVm, azureAt(7), 'unusable answer'],
    ['Azure without a location', azureVm, azureAt(undefined), 'unusable answer'],
    ['Azure with a list', azureVm, { [paths.azure]: json(['westeurope']) }, 'unusable answer'],
    ['Azure with a location nobody knows', azureVm, azureAt('marsnorth'), 'unknown place'],
    ['Azure with a location that gives commands', azureVm, azureAt('west\u001B[2Jeurope'), 'unusable answer'],
    ['Azure with a redirect', azureVm, { [paths.azure]: redirect }, 'redirect'],
    [
      'Google without its header',
      gce,
      gcpAt('europe-west9-a', { 'Metadata-Flavor': 'x' }),
      'unusable answer',
    ],
    [
      'Google with HTML',
      gce,
      { [paths.gcp]: raw(html, 200, { 'Metadata-Flavor': 'Google' }) },
      'unusable answer',
    ],
    ['Google with a region for a zone', gce, gcpAt('europe-west9'), 'unknown place'],
    ['Google with a zone of another kind', gce, gcpAt('us-central1-ai1a'), 'unknown place'],
    ['Google with a region nobody knows', gce, gcpAt('europe-west99-a'), 'unknown place'],
    ['Google that fails', gce, { [paths.gcp]: raw('', 500) }, 'refused'],
  ])('%s: no place, and one problem', async (_what, dmi, answers, kind) => {
    const server = await startServer(routes(answers))
    const locator = await find(server, { dmi })
    expect(locator.place()).toBeUndefined()
    expect(subjects()).toEqual([`cloud metadata: ${kind}`])
    expect(problems[0]?.message).not.toMatch(/doctype|\u001B/)

    const zoned = await find(server, { dmi, timeZone: () => 'Asia/Tokyo' })
    expect(zoned.place()).toMatchObject({ countryIsoCode: 'JPN', foundBy: 'time zone' })
    expect(problems[1]?.message).toMatch(/; the place is taken to be Japan \(time zone\)$/)
  })

  it('and keeps silent has 1 s, which is told with what to do', async () => {
    const server = await startServer(silence)
    const locator = create(server.url, { dmi: ec2 })
    locator.start()
    await server.asked(1)
    clock.advance(0.999)
    expect(problems).toEqual([])
    clock.advance(0.001)
    await locator.settled()
    await server.brokenOff
    expect(problems).toMatchObject([
      {
        subject: 'cloud metadata: timeout',
        message: expect.stringMatching(
          /^the metadata service of AWS gave no complete answer within 1 s \(in a container its hop limit.*\); no place is known/,
        ) as string,
      },
    ])
    expect(clock.waiting).toBe(0)
  })

  it('and takes its time has 1 s for all that is asked', async () => {
    const server = await startServer(silence)
    server.answerWith((request, response) => {
      if (request.method !== 'PUT') return
      clock.advance(0.6)
      raw('dG9rZW4=')(request, response)
    })
    const locator = create(server.url, { dmi: ec2 })
    locator.start()
    await server.asked(3)
    clock.advance(0.4)
    await locator.settled()
    expect(subjects()).toEqual(['cloud metadata: timeout'])
    expect(problems[0]?.message).toContain('within 1 s')
  })

  it('by being two clouds at once is neither', async () => {
    const server = await startServer(routes({ ...awsAt('us-east-1'), ...gcpAt('europe-west9-a') }))
    const locator = await find(server, { dmi: nobodyKnows })
    expect(locator.place()).toBeUndefined()
    expect(problems[0]?.message).toContain('contradicts itself (aws us-east-1, gcp europe-west9)')
  })

  it('to all at once is one problem', async () => {
    const server = await startServer(raw(html))
    await find(server, { dmi: nobodyKnows })
    expect(subjects()).toEqual(['cloud metadata: unusable answer'])
    expect(problems[0]?.message).toMatch(/AWS answered with.*, .*Azure answered with a web page.*, .*Google/)
  })
})

describe('a machine that is of no cloud', () => {
  it('asks nobody', async () => {
    const server = await startServer(routes(awsAt('us-east-1')))
    const locator = await find(server, { dmi: laptop, timeZone: () => 'Europe/Paris' })
    expect(locator.place()).toMatchObject({ countryIsoCode: 'FRA', foundBy: 'time zone' })
    expect([server.requests, problems, notices]).toEqual([[], [], []])
  })

  it('and has no firmware says nothing of clouds that are not there, and asks once an hour', async () => {
    const server = await startServer(raw('', 404))
    const kept = { cacheFile: cacheFile() }
    for (let run = 0; run < 10; run += 1) await find(server, { dmi: nobodyKnows }, kept)
    expect(server.requests).toHaveLength(3)
    expect([problems, notices]).toEqual([[], []])
    clock.advance(3601)
    server.answerWith(routes(awsAt('us-east-1')))
    expect((await find(server, { dmi: nobodyKnows }, kept)).place()).toMatchObject({
      cloudRegion: 'us-east-1',
    })
  })

  it('nor finds one behind a refused connection or silence is no problem', async () => {
    const server = await startServer(silence)
    const locator = create(server.url, { dmi: nobodyKnows })
    locator.start()
    await server.asked(3)
    clock.advance(1)
    await locator.settled()
    await server.close()
    await find(server.url, { dmi: nobodyKnows })
    expect(problems).toEqual([])
  })
})

describe('offline', () => {
  it('makes no connection, whatever the machine and what may be asked', async () => {
    const server = await startServer(routes({ ...awsAt('us-east-1'), [paths.geojs]: json(france) }))
    for (const dmi of [ec2, nobodyKnows]) {
      const locator = await find(server, { dmi, offline: true, mayAskIp: true })
      expect(locator.place()).toBeUndefined()
    }
    expect(server.requests).toEqual([])
  })
})

describe('a lookup by address', () => {
  it('is only for those who asked for it, and not where the time zone knows', async () => {
    const server = await startServer(routes({ [paths.geojs]: json(france) }))
    expect((await find(server, {})).place()).toBeUndefined()
    await find(server, { mayAskIp: true, timeZone: () => 'Europe/Berlin' })
    expect(server.requests).toEqual([])
    const locator = await find(server, { mayAskIp: true })
    expect(locator.place()).toMatchObject({ countryIsoCode: 'FRA', region: undefined, foundBy: 'IP lookup' })
    expect(asked(server)).toEqual([`GET ${paths.geojs}`])
    expect(problems).toEqual([])
  })

  const geo = (country: string, region: unknown): Handler =>
    json({ country_code: country, region, latitude: '46.8123', longitude: '-71.2456', city: 'Secretville' })

  it.each([
    ['US', 'USA', 'California', 'US-CA'],
    ['CA', 'CAN', 'Québec', 'CA-QC'],
  ])(
    'of %s also asks for the region, and keeps nothing more precise',
    async (code, country, region, regionCode) => {
      const server = await startServer(
        routes({ [paths.geojs]: json({ country: code }), [paths.geojsRegion]: geo(code, region) }),
      )
      const locator = await find(server, { mayAskIp: true }, { cacheFile: cacheFile() })
      expect(locator.place()).toMatchObject({ countryIsoCode: country, regionCode, foundBy: 'IP lookup' })
      expect(problems).toEqual([])
      expect(readFileSync(cacheFile(), 'utf8')).not.toMatch(/46|71|Secretville|192\.0/)
    },
  )

  it.each([
    [
      'nobody knows',
      geo('US', 'Mordor'),
      /geojs\.io names the region Mordor, which is not known; .*United States/,
    ],
    ['is a number', geo('US', 7), /answered without the region/],
    ['is a page', geo('US', '<b>'), /answered without the region/],
    ['is of another country', geo('CA', 'Quebec'), /names two countries at once/],
    ['cannot be had', raw('', 500), /answered with HTTP 500/],
  ])('whose region %s gives the country, and says so', async (_what, answer, message) => {
    const server = await startServer(
      routes({ [paths.geojs]: json({ country: 'US' }), [paths.geojsRegion]: answer }),
    )
    const locator = await find(server, { mayAskIp: true })
    expect(locator.place()).toMatchObject({ countryIsoCode: 'USA', regionCode: undefined })
    expect(problems.map((problem) => problem.message)).toEqual([expect.stringMatching(message)])
  })

  const faults: [what: string, answer: Handler, kind: string][] = [
    ['HTML', raw('<!doctype html><p>Sign in'), 'unusable answer'],
    ['half of JSON', raw('{"country":"F'), 'unusable answer'],
    ['nothing', raw(''), 'unusable answer'],
    ['a number for a country', json({ country: 33 }), 'unusable answer'],
    ['a name for a country', json({ country: 'France' }), 'unusable answer'],
    ['no country', json({ ip: '192.0.2.1', bogon: true }), 'unusable answer'],
    ['a list', json([france]), 'unusable answer'],
    ['null', raw('null'), 'unusable answer'],
    ['an error', json({ ...france, error: { title: 'Rate limit exceeded' } }), 'unusable answer'],
    ['a country nobody knows', json({ country: 'ZQ' }), 'unknown place'],
    ['the world', json({ country: 'WLD' }), 'unknown place'],
    ['a redirect', raw('', 301, { location: 'http://192.0.2.1/' }), 'redirect'],
    ['500', raw('', 500), 'refused'],
    ['429', raw('', 429), 'too many requests'],
    [
      'too much',
      (_request, response) => {
        response.end(`{"country":"FR","x":"${'a'.repeat(1_000_000)}"}`)
      },
      'too large',
    ],
    [
      'a connection that is cut',
      (_request, response) => {
        response.writeHead(200, { 'content-length': '1000' }).write('{"country":', () => response.destroy())
      },
      'unreachable',
    ],
  ]

  describe.each([
    ['http', httpRequest],
    ['the global fetch', globalThis.fetch as Fetch],
  ])('asked by %s', (_name, fetch) => {
    it.each(faults)('with %s is followed by that of another service', async (_what, answer, kind) => {
      const server = await startServer(
        routes({ [paths.geojs]: answer, [paths.ipinfo]: json({ country: 'SE' }) }),
      )
      const locator = await find(server, { mayAskIp: true }, { fetch })
      expect(locator.place()).toMatchObject({ countryIsoCode: 'SWE', foundBy: 'IP lookup' })
      expect(subjects()).toEqual([`IP lookup: ${kind}`])
      expect(problems[0]?.message).toMatch(/^geojs\.io .*; the place is taken to be Sweden \(IP lookup\)$/)
    })

    it.each(faults)(
      'of both services with %s gives no place, and is one problem',
      async (_what, answer, kind) => {
        const server = await startServer(routes({ [paths.geojs]: answer, [paths.ipinfo]: answer }))
        const locator = await find(server, { mayAskIp: true }, { fetch })
        expect(locator.place()).toBeUndefined()
        expect(subjects()).toEqual([`IP lookup: ${kind}`])
        expect(problems[0]?.message).toMatch(
          /^geojs\.io .*, ipinfo\.io .*; no place is known: give country_iso_code$/,
        )
      },
    )
  })

  it('names two countries at once: neither', async () => {
    const server = await startServer(routes({ [paths.geojs]: json({ country: 'FR', country_3: 'DEU' }) }))
    expect((await find(server, { mayAskIp: true })).place()).toBeUndefined()
    expect(problems[0]?.message).toContain('names two countries at once')
  })

  it('that hangs has 1 s, and so has the next', async () => {
    const server = await startServer(silence)
    const locator = create(server.url, { mayAskIp: true })
    locator.start()
    await server.asked(1)
    clock.advance(1)
    await server.asked(2)
    clock.advance(1)
    await locator.settled()
    expect(subjects()).toEqual(['IP lookup: timeout'])
  })

  it('is asked once in a week by ten runs', async () => {
    const server = await startServer(routes({ [paths.geojs]: json(france) }))
    const machine = { mayAskIp: true }
    await find(server, machine, { cacheFile: cacheFile() })
    for (let run = 0; run < 9; run += 1) {
      clock.sleep(18 * 3600)
      const locator = create(server.url, machine, { cacheFile: cacheFile() })
      locator.start()
      expect(locator.place()).toMatchObject({ countryIsoCode: 'FRA', foundBy: 'IP lookup' })
      await locator.settled()
    }
    expect(server.requests).toHaveLength(1)
    clock.sleep(24 * 3600)
    await find(server, machine, { cacheFile: cacheFile() })
    expect(server.requests).toHaveLength(2)
  })

  it('leaves services alone for as long as they ask', async () => {
    const server = await startServer(raw('', 429, { 'retry-after': '7200' }))
    const machine = { mayAskIp: true }
    await find(server, machine, { cacheFile: cacheFile() })
    expect(server.requests).toHaveLength(2)
    clock.sleep(7199)
    await find(server, machine, { cacheFile: cacheFile() })
    expect(server.requests).toHaveLength(2)
    clock.sleep(2)
    await find(server, machine, { cacheFile: cacheFile() })
    expect(server.requests).toHaveLength(4)
  })
})

describe('what is kept', () => {
  const kept = (): { cacheFile: string } => ({ cacheFile: cacheFile() })

  it('of a cloud holds until the machine is started again', async () => {
    const server = await startServer(routes(awsAt('us-east-1')))
    for (let run = 0; run < 10; run += 1) {
      expect((await find(server, { dmi: ec2 }, kept())).place()).toMatchObject({ cloudRegion: 'us-east-1' })
    }
    expect(server.requests).toHaveLength(3)
    expect(notices).toHaveLength(1)
    server.answerWith(routes(awsAt('eu-west-1')))
    const moved = await find(server, { dmi: ec2, bootId: bootOf(2) }, kept())
    expect(moved.place()).toMatchObject({ cloudRegion: 'eu-west-1' })
  })

  it('holds for an hour where nobody can tell when the machine was started', async () => {
    const server = await startServer(routes(awsAt('us-east-1')))
    await find(server, { dmi: ec2, bootId: 'none' }, kept())
    clock.sleep(3599)
    await find(server, { dmi: ec2, bootId: 'none' }, kept())
    expect(server.requests).toHaveLength(3)
    clock.sleep(1)
    await find(server, { dmi: ec2, bootId: 'none' }, kept())
    expect(server.requests).toHaveLength(6)
  })

  it('is for its user alone, in one file', async () => {
    const server = await startServer(routes(awsAt('us-east-1')))
    await find(server, { dmi: ec2 }, kept())
    expect(statSync(cacheFile()).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(folder, 'state/codecarbon'))).toEqual(['place.json'])
    expect(JSON.parse(readFileSync(cacheFile(), 'utf8'))).toEqual({
      version: 1,
      values: {
        [`cloud metadata ${bootOf(1)}`]: {
          query: { cloudProvider: 'aws', cloudRegion: 'us-east-1' },
          keptAtMs: clock.now().wallMs,
        },
      },
    })
  })

  const entry = (fields: object): string =>
    JSON.stringify({ version: 1, values: { 'IP lookup': { keptAtMs: clock.now().wallMs, ...fields } } })

  it.each([
    ['damaged', () => '{"version":1,"val'],
    ['of another version', () => entry({ query: { countryIsoCode: 'DEU' } }).replace('1', '2')],
    ['a list', () => '[]'],
    [
      'of the future',
      () => entry({ query: { countryIsoCode: 'DEU' }, keptAtMs: clock.now().wallMs + 60_000 }),
    ],
    ['of no time', () => entry({ query: { countryIsoCode: 'DEU' }, keptAtMs: 'today' })],
    ['of a country nobody knows', () => entry({ query: { countryIsoCode: 'ZZZ' } })],
    ['a number', () => entry({ query: { countryIsoCode: 7 } })],
    ['a pause without end', () => entry({ notBeforeMs: 1e300 })],
    ['far too large', () => entry({ query: { countryIsoCode: 'DEU' } }) + ' '.repeat(100_000)],
  ])('and is %s is not believed, and made anew', async (_what, text) => {
    const server = await startServer(routes({ [paths.geojs]: json(france) }))
    makeDirectory(join(folder, 'state/codecarbon'))
    writeFileSync(cacheFile(), text())
    expect((await find(server, { mayAskIp: true }, kept())).place()).toMatchObject({ countryIsoCode: 'FRA' })
    await find(server, { mayAskIp: true }, kept())
    expect(server.requests).toHaveLength(1)
  })

  it('nowhere, for want of a place, is told and no harm', async () => {
    const server = await startServer(routes({ [paths.geojs]: json(france) }))
    writeFileSync(join(folder, 'file'), '')
    const locator = await find(server, { mayAskIp: true }, { cacheFile: join(folder, 'file/place.json') })
    expect(locator.place()).toMatchObject({ countryIsoCode: 'FRA' })
    expect(notices[0]).toMatch(/^places cannot be kept in .*place\.json for other runs: /)
  })
})

describe('the program', () => {
  it('may close it at any time: nothing more is told, asked or changed', async () => {
    const server = await startServer(silence)
    const locator = create(server.url, { dmi: ec2, mayAskIp: true, timeZone: () => 'Europe/Paris' })
    locator.start()
    locator.start()
    await server.asked(1)
    locator.close()
    locator.close()
    await locator.settled()
    await server.brokenOff
    locator.start()
    expect(locator.place()).toMatchObject({ countryIsoCode: 'FRA' })
    expect(server.requests).toHaveLength(1)
    expect([problems, notices, clock.waiting]).toEqual([[], [], 0])
  })

  it('that closes it before it began is left alone', async () => {
    const server = await startServer(routes(awsAt('us-east-1')))
    const locator = create(server.url, { dmi: ec2 })
    locator.close()
    locator.start()
    await locator.settled()
    expect([locator.place(), server.requests]).toEqual([undefined, []])
  })

  it('is not harmed by its own listeners, nor by a fetch that throws', async () => {
    const boom = (): never => {
      throw new Error('boom')
    }
    const server = await startServer(routes(gcpAt('europe-west9-a')))
    const found = await find(server, { dmi: gce }, { onNotice: boom, onProblem: boom })
    expect(found.place()).toMatchObject({ cloudRegion: 'europe-west9' })
    const lost = await find(server, { dmi: gce }, { fetch: boom, onProblem: boom })
    expect(lost.place()).toBeUndefined()
  })
})
