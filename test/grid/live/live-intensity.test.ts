import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { IntensityRecord } from '../../../src/core/emissions-data.ts'
import type { Problem } from '../../../src/core/problem.ts'
import { makeDirectory } from '../../../src/files/make-directory.ts'
import { createElectricityMaps } from '../../../src/grid/live/electricity-maps.ts'
import { httpRequest, type Fetch } from '../../../src/http/http-request.ts'
import {
  createLiveIntensity,
  type LiveIntensity,
  type LiveIntensityOptions,
} from '../../../src/grid/live/live-intensity.ts'
import { createRteEco2mix } from '../../../src/grid/live/rte-eco2mix.ts'
import { createUkCarbonIntensity } from '../../../src/grid/live/uk-carbon-intensity.ts'
import { fakeClock, type FakeClock } from '../../fixtures/fake-clock.ts'
import { startServer, type Answer } from '../../fixtures/local-server.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

const token = 'tok-5f3e-secret'
const minute = 60
const hour = 60 * minute

const fallback: IntensityRecord = {
  gramsPerKwh: 44.2,
  scope: 'country',
  year: 2024,
  source: 'Ember',
  basis: 'lifecycle',
  quality: 'ok',
}
const yearly = 'the yearly figure of 44.2 g/kWh (Ember, 2024, lifecycle) is used'

let clock: FakeClock
let folder: string
let said: string[]
let problems: Problem[]

beforeEach(() => {
  clock = fakeClock()
  folder = temporaryFolder()
  said = []
  problems = []
})

// Whatever it says, in any of these tests, does not hold the token.
afterEach(() => {
  const words = JSON.stringify([said, problems])
  if (words.includes('secret')) throw new Error(`the token was told: ${words}`)
})

const cacheFile = (): string => join(folder, 'state/codecarbon/intensity.json')
const iso = (agoSeconds = 0): string => new Date(clock.now().wallMs - agoSeconds * 1000).toISOString()
const good = (gramsPerKwh = 50, agoSeconds = 0): object => ({
  zone: 'FR',
  carbonIntensity: gramsPerKwh,
  datetime: iso(agoSeconds),
  isEstimated: false,
})
const provider = (baseUrl: string, zone = 'FR') =>
  createElectricityMaps({ token, area: { zone }, scope: 'country', baseUrl })

/** A service under test. */
function create(baseUrl: string, options: Partial<LiveIntensityOptions> = {}): LiveIntensity {
  return createLiveIntensity({
    provider: provider(baseUrl),
    fallback,
    clock,
    makeDirectory,
    random: () => 0,
    onProblem(problem) {
      problems.push(problem)
      said.push(problem.message)
    },
    onNotice(message) {
      said.push(message)
    },
    ...options,
  })
}

async function begin(baseUrl: string, options?: Partial<LiveIntensityOptions>): Promise<LiveIntensity> {
  const live = create(baseUrl, options)
  live.start()
  await live.settled()
  return live
}

/** Lets time pass, in steps, and waits for each request. They fall due at the end of a step, or less than their timeout of 5 s before. */
async function pass(live: LiveIntensity, time: number, step = 4): Promise<void> {
  for (let left = time; left > 0; left -= step) {
    clock.advance(Math.min(step, left))
    await live.settled()
  }
}

const kinds = (): string[] => problems.map(({ subject }) => subject.replace('Electricity Maps: ', ''))

describe('a service that answers', () => {
  it('gives its value, whose it is and how old', async () => {
    const server = await startServer(good(50, 600))
    const live = create(server.url)
    expect(live.current()).toEqual({ ...fallback, isLive: false })
    live.start()
    await live.settled()
    clock.advance(60)
    expect(live.current()).toEqual({
      gramsPerKwh: 50,
      scope: 'country',
      year: undefined,
      source: 'Electricity Maps',
      basis: 'lifecycle',
      quality: 'ok',
      isLive: true,
      observedAtMs: clock.now().wallMs - 660_000,
      age: 660,
      isEstimated: false,
    })
    expect(said).toEqual([
      'Electricity Maps (zone FR): 50 g/kWh (lifecycle) of 2026-01-01 00:06 UTC is used in place of the yearly figure of 44.2 g/kWh (Ember, 2024, lifecycle)',
    ])
    expect(problems).toEqual([])
  })

  it('is sent the token in its header, and asked by the address alone', async () => {
    const server = await startServer(good())
    await begin(server.url)
    const [request] = server.requests
    expect(request?.headers).toMatchObject({ 'auth-token': token, accept: 'application/json' })
    expect(request?.url).toBe('/v3/carbon-intensity/latest?zone=FR&shouldUseFallbackCallerLookup=false')
  })

  it('is asked once per refresh, and what it says is news once', async () => {
    const server = await startServer(() => undefined)
    server.answerWith((_request, response) => response.end(JSON.stringify(good(40 + server.requests.length))))
    const live = await begin(server.url)
    live.start()
    await pass(live, 14 * minute)
    expect(server.requests).toHaveLength(1)
    await pass(live, minute)
    expect(server.requests).toHaveLength(2)
    expect(live.current().gramsPerKwh).toBe(42)
    for (let times = 0; times < 8; times += 1) await pass(live, 15 * minute, minute)
    expect(server.requests).toHaveLength(10)
    expect(said).toHaveLength(1)
  })

  it('is asked later by up to a tenth, so that many processes do not ask together', async () => {
    const server = await startServer(good())
    const live = await begin(server.url, { random: () => 1 })
    await pass(live, 16.4 * minute)
    expect(server.requests).toHaveLength(1)
    await pass(live, 0.2 * minute)
    expect(server.requests).toHaveLength(2)
  })

  it('may be any of the services', async () => {
    const server = await startServer({
      data: [{ from: iso().replace(/:00\.000Z$/, 'Z'), intensity: { forecast: 120, actual: null } }],
    })
    const uk = await begin(server.url, { provider: createUkCarbonIntensity({ baseUrl: server.url }) })
    expect(uk.current()).toMatchObject({ gramsPerKwh: 120, basis: 'direct', quality: 'estimated' })

    server.answerWith({ results: [{ date_heure: iso(), taux_co2: 19 }] })
    const rte = await begin(server.url, { provider: createRteEco2mix({ baseUrl: server.url }) })
    expect(rte.current()).toMatchObject({ gramsPerKwh: 19, basis: 'direct', quality: 'ok' })
    expect(server.requests.map(({ headers }) => headers['auth-token'])).toEqual([undefined, undefined])
  })

  it('may be asked with the global fetch', async () => {
    const server = await startServer(good())
    const live = await begin(server.url, { fetch: globalThis.fetch })
    expect(live.current()).toMatchObject({ gramsPerKwh: 50, isLive: true })
  })
})

describe('a service that fails', () => {
  const raw =
    (text: string, status = 200, headers: Record<string, string> = {}): Answer =>
    (_request, response) =>
      response.writeHead(status, headers).end(text)

  const faults: [what: string, answer: Answer, kind: string, message: RegExp][] = [
    ['HTML', raw('<!doctype html><p>Sign in'), 'unusable answer', /a web page in place of JSON/],
    ['truncated JSON', raw('{"zone":"FR","carbonIn'), 'unusable answer', /no JSON, or was cut off/],
    ['an empty body', raw(''), 'unusable answer', /no JSON, or was cut off/],
    ['an error object', { error: `Invalid ${token}` }, 'unusable answer', /an error in place of a value/],
    ['an error of Opendatasoft', { error_code: 'X', message: 'x' }, 'unusable answer', /an error in place/],
    ['a list', [1, 2], 'unusable answer', /another zone than FR/],
    [
      'the zone of the caller',
      { zone: 'DE', carbonIntensity: 300 },
      'unusable answer',
      /another zone than FR/,
    ],
    [
      'a negative value',
      raw(`{"zone":"FR","carbonIntensity":-5}`),
      'unusable answer',
      /-5 g\/kWh, which cannot be/,
    ],
    ['a huge value', raw(`{"zone":"FR","carbonIntensity":1e300}`), 'unusable answer', /which cannot be/],
    ['NaN', raw(`{"zone":"FR","carbonIntensity":NaN}`), 'unusable answer', /no JSON/],
    ['a text for a value', raw(`{"zone":"FR","carbonIntensity":"50"}`), 'unusable answer', /is a number/],
    [
      '401',
      raw(`bad token ${token}`, 401),
      'token refused',
      /does not accept the token.*HTTP 401.*check electricitymaps_api_token/,
    ],
    ['403', raw('', 403), 'token refused', /or not for zone FR \(HTTP 403\)/],
    ['404', raw('', 404), 'unknown place', /does not know zone FR \(HTTP 404\)/],
    ['422', raw('', 422), 'unknown place', /does not know zone FR \(HTTP 422\)/],
    ['429', raw('', 429), 'too many requests', /was asked too often \(HTTP 429\)/],
    ['503', raw('', 503), 'too many requests', /is not available at present \(HTTP 503\)/],
    ['500', raw(token, 500), 'server error', /answered with HTTP 500/],
    ['204', raw('', 204), 'server error', /answered with HTTP 204/],
    [
      'a redirect',
      raw('', 302, { location: `https://${token}.example/` }),
      'redirect',
      /not followed \(HTTP 302\)/,
    ],
    [
      'a connection that is cut',
      (_request, response) => {
        response.writeHead(200, { 'content-length': '1000' }).write('{"zone":', () => response.destroy())
      },
      'unreachable',
      /cannot be reached: the connection was broken off/,
    ],
  ]

  describe.each([
    ['http', httpRequest],
    ['the global fetch', globalThis.fetch as Fetch],
  ])('asked by %s', (_name, fetch) => {
    it.each(faults)(
      'with %s leaves the yearly figure, and says so once',
      async (_what, answer, kind, message) => {
        const server = await startServer(answer)
        const live = await begin(server.url, { fetch, random: () => 1 })
        expect(live.current()).toMatchObject({ ...fallback, isLive: false })
        if (!(kind === 'unreachable' && fetch !== httpRequest))
          expect(said).toEqual([expect.stringMatching(message)])
        expect(kinds()).toEqual([kind])
        expect(problems).toMatchObject([
          { code: 'ERR_INTENSITY_UNAVAILABLE', message: expect.stringContaining(`; ${yearly}`) as string },
        ])
        await pass(live, 2 * hour, minute)
        expect(problems).toHaveLength(1)
      },
    )

    it('by a redirect to another host has the token to itself', async () => {
      const other = await startServer(good())
      const server = await startServer(raw('', 307, { location: `${other.url}/v3/carbon-intensity/latest` }))
      await begin(server.url, { fetch })
      expect(other.requests).toEqual([])
      expect(kinds()).toEqual(['redirect'])
    })

    it('by a body that never ends is cut off at 1 MB', async () => {
      let sent = 0
      const server = await startServer((_request, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(' '.repeat(10_000))) sent += 10_000
        }
        response.on('drain', more)
        more()
      })
      await begin(server.url, { fetch })
      await server.brokenOff
      expect(said).toEqual([expect.stringContaining('answered with more than 1 MB')])
      expect(sent).toBeLessThan(20e6)
    })

    it.each([
      ['says nothing', () => undefined],
      [
        'stops in the middle of the body',
        (_request: unknown, response: { write(text: string): void }) => {
          response.write('{"zone":')
        },
      ],
    ])('because it %s is given up after 5 s', async (_what, answer: Answer) => {
      const server = await startServer(answer)
      const live = create(server.url, { fetch })
      live.start()
      await server.asked(1)
      clock.advance(4.9)
      expect(problems).toEqual([])
      clock.advance(0.1)
      await live.settled()
      expect(said).toEqual([`Electricity Maps (zone FR) gave no complete answer within 5 s; ${yearly}`])
      await server.brokenOff
    })

    it('because nobody listens', async () => {
      const server = await startServer({})
      await server.close()
      await begin(server.url, { fetch })
      expect(said).toEqual([
        `Electricity Maps (zone FR) cannot be reached: the connection was refused; ${yearly}`,
      ])
    })

    it('because its name is not known', async () => {
      await begin('http://nobody.invalid', { fetch })
      expect(said).toEqual([expect.stringMatching(/cannot be reached: its name .*\(DNS\)/)])
    })

    it('because it speaks no HTTP', async () => {
      const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'))
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve)
      })
      const { port } = server.address() as { port: number }
      await begin(`http://127.0.0.1:${port}`, { fetch })
      server.close()
      expect(kinds()).toEqual(['unreachable'])
    })
  })

  it('because fetch itself never comes back is given up all the same', async () => {
    const live = create('http://127.0.0.1:1', { fetch: () => new Promise(() => undefined) })
    live.start()
    clock.advance(5)
    await live.settled()
    expect(kinds()).toEqual(['timeout'])
  })

  it('in several ways is told of each, and of its recovery once', async () => {
    const server = await startServer(raw('', 500))
    const live = await begin(server.url)
    server.answerWith(raw('<html>'))
    await pass(live, 5)
    server.answerWith(raw('', 500))
    await pass(live, 5)
    expect(kinds()).toEqual(['server error', 'unusable answer'])
    server.answerWith(good(60))
    await pass(live, 5)
    expect(said.slice(2)).toEqual([
      expect.stringMatching(
        /^Electricity Maps \(zone FR\) answers again: 60 g\/kWh .* in place of the yearly/,
      ),
    ])
    await pass(live, 15 * minute)
    expect(said).toHaveLength(3)
    server.answerWith(raw('', 500))
    await pass(live, 15 * minute)
    expect(kinds()).toEqual(['server error', 'unusable answer', 'server error'])
  })

  it('is not asked again with a token that it refused', async () => {
    const server = await startServer(raw('', 401))
    const live = await begin(server.url)
    expect(said[0]).toMatch(/; it is not asked again before the program starts anew$/)
    await pass(live, 48 * hour, hour)
    live.current()
    expect(server.requests).toHaveLength(1)
    expect(clock.waiting).toBe(0)
  })

  it('is asked once an hour for a zone that it does not know', async () => {
    const server = await startServer(raw('', 404))
    const live = await begin(server.url)
    await pass(live, 59 * minute)
    expect(server.requests).toHaveLength(1)
    await pass(live, minute)
    expect(server.requests).toHaveLength(2)
  })

  it('a service without a token is asked again after 403', async () => {
    const server = await startServer(raw('', 403))
    const live = await begin(server.url, {
      random: () => 1,
      provider: createUkCarbonIntensity({ baseUrl: server.url }),
    })
    await pass(live, minute)
    expect(server.requests).toHaveLength(2)
  })

  it('is asked again at random within a time that doubles up to an hour', async () => {
    const server = await startServer(raw('', 500))
    const live = await begin(server.url, { random: () => 1 })
    for (const wait of [1, 2, 4, 8, 16, 32, 60, 60]) {
      const before = server.requests.length
      await pass(live, wait * minute - 1, hour)
      expect(server.requests).toHaveLength(before)
      await pass(live, 1)
      expect(server.requests).toHaveLength(before + 1)
    }
  })

  it.each([
    ['120', 120],
    ['date', 120],
    ['999999999', 6 * hour],
    ['0', 5],
    ['-5', 5],
    ['soon', 5],
  ])('with 429 and Retry-After "%s" is left alone for %d s', async (header, wait) => {
    const value = header === 'date' ? new Date(clock.now().wallMs + 120_000).toUTCString() : header
    const server = await startServer(raw('', 429, { 'retry-after': value }))
    const live = await begin(server.url)
    await pass(live, wait - 1, wait)
    expect(server.requests).toHaveLength(1)
    await pass(live, 1)
    expect(server.requests).toHaveLength(2)
  })
})

describe('the age of a value', () => {
  it('beyond 3 h puts the yearly figure in its place, and both changes are told', async () => {
    const server = await startServer(good(50))
    const live = await begin(server.url, { random: () => 1 })
    await server.close()
    await pass(live, 17 * minute, 30)
    expect(said[1]).toBe(
      'Electricity Maps (zone FR) cannot be reached: the connection was refused; the value of 2026-01-01 00:16 UTC is used until 2026-01-01 03:16 UTC, then the yearly figure of 44.2 g/kWh (Ember, 2024, lifecycle)',
    )
    await pass(live, 163 * minute, 30)
    expect(live.current()).toMatchObject({ isLive: true, age: 3 * hour })
    await pass(live, 1)
    expect(live.current()).toMatchObject(fallback)
    expect(live.current()).toMatchObject({ isLive: false })
    expect(problems.slice(1)).toEqual([
      {
        code: 'ERR_INTENSITY_UNAVAILABLE',
        subject: 'carbon intensity',
        message: `there is no value of Electricity Maps (zone FR) since 2026-01-01 00:16 UTC: from now on ${yearly}`,
      },
    ])
  })

  it('counts by the service: one that answers with old values is of no use', async () => {
    const server = await startServer(good(50, 3 * hour + 1))
    const live = await begin(server.url)
    expect(live.current().isLive).toBe(false)
    expect(said).toEqual([
      expect.stringMatching(/answered with a value of 2025-12-31 21:16 UTC, which is too old; the y/),
    ])
    await pass(live, 14 * minute)
    expect(server.requests).toHaveLength(1)
  })

  it('of the future is not believed', async () => {
    const server = await startServer(good(50, -2 * hour))
    const live = await begin(server.url)
    expect(live.current().isLive).toBe(false)
    expect(kinds()).toEqual(['ahead of the clock'])
  })

  it('goes on while the clock is set back, and no value becomes young again', async () => {
    const server = await startServer(good(50))
    const live = await begin(server.url)
    await server.close()
    clock.sleep(-10 * hour)
    clock.advance(hour)
    expect(live.current()).toMatchObject({ isLive: true, age: hour })
    await pass(live, 2 * hour + 1)
    expect(live.current().isLive).toBe(false)
  })

  it('goes on while the machine sleeps, and the service is asked at once when it wakes', async () => {
    const server = await startServer(good(50))
    const live = await begin(server.url)
    clock.sleep(4 * hour)
    server.answerWith(good(70))
    expect(live.current().isLive).toBe(false)
    clock.advance(0)
    await live.settled()
    expect(server.requests).toHaveLength(2)
    expect(live.current()).toMatchObject({ gramsPerKwh: 70, isLive: true, age: 0 })
  })
})

describe('what is kept on disk', () => {
  it('saves ten runs in a row nine requests', async () => {
    const server = await startServer(good(50))
    for (let run = 0; run < 10; run += 1) {
      const live = await begin(server.url, { cacheFile: cacheFile() })
      expect(live.current()).toMatchObject({ gramsPerKwh: 50, isLive: true })
      live.close()
      clock.advance(30)
    }
    expect(server.requests).toHaveLength(1)
    expect(problems).toEqual([])
  })

  it('is there for the first reading of a run, before anything is waited for', async () => {
    const server = await startServer(good(50))
    await begin(server.url, { cacheFile: cacheFile() })
    const next = create(server.url, { cacheFile: cacheFile() })
    next.start()
    expect(next.current()).toMatchObject({ gramsPerKwh: 50, isLive: true })
  })

  it('is shared by processes that run at the same time', async () => {
    const server = await startServer(good(50))
    const first = await begin(server.url, { cacheFile: cacheFile() })
    const second = await begin(server.url, { cacheFile: cacheFile(), random: () => 1 })
    expect(second.current().gramsPerKwh).toBe(50)
    server.answerWith(good(55))
    for (let seconds = 0; seconds < hour; seconds += 4) {
      clock.advance(4)
      await Promise.all([first.settled(), second.settled()])
    }
    expect(second.current().gramsPerKwh).toBe(55)
    expect(server.requests).toHaveLength(5)
  })

  it('is one file that only its user may read, without the token and without leftovers', async () => {
    const server = await startServer(good(50))
    await begin(server.url, { cacheFile: cacheFile() })
    expect(statSync(cacheFile()).mode & 0o777).toBe(0o600)
    expect(readFileSync(cacheFile(), 'utf8')).not.toContain('secret')
    expect(readdirSync(join(folder, 'state/codecarbon'))).toEqual(['intensity.json'])
  })

  it('is of one service and zone alone', async () => {
    const server = await startServer(good(50))
    await begin(server.url, { cacheFile: cacheFile() })
    server.answerWith({ ...good(300), zone: 'DE' })
    const german = await begin(server.url, { cacheFile: cacheFile(), provider: provider(server.url, 'DE') })
    expect(german.current().gramsPerKwh).toBe(300)
    const french = await begin(server.url, { cacheFile: cacheFile() })
    expect(french.current().gramsPerKwh).toBe(50)
    expect(server.requests).toHaveLength(2)
  })

  it('is asked for anew when it is older than a refresh, and stands in meanwhile', async () => {
    const server = await startServer(good(50))
    await begin(server.url, { cacheFile: cacheFile() })
    clock.advance(hour)
    server.answerWith(() => undefined)
    const live = create(server.url, { cacheFile: cacheFile() })
    live.start()
    expect(live.current()).toMatchObject({ gramsPerKwh: 50, isLive: true, age: hour })
    await server.asked(2)
    live.close()
  })

  it('is not used when it is older than 3 h, or of a time to come', async () => {
    const server = await startServer(good(50))
    await begin(server.url, { cacheFile: cacheFile() })
    for (const shift of [4 * hour, -12 * hour]) {
      clock.sleep(shift)
      const live = create(server.url, { cacheFile: cacheFile() })
      live.start()
      expect(live.current().isLive).toBe(false)
      live.close()
    }
  })

  it.each([
    ['', 'empty'],
    ['{"version":1,"values":', 'cut off'],
    ['[]', 'a list'],
    ['null', 'null'],
    ['{"version":2,"values":{}}', 'of another version'],
    ['\0'.repeat(300_000), 'huge'],
  ])('is ignored and made anew where it is damaged: %#', async (text) => {
    makeDirectory(join(folder, 'state/codecarbon'))
    writeFileSync(cacheFile(), text)
    const server = await startServer(good(50))
    await begin(server.url, { cacheFile: cacheFile() })
    const next = await begin(server.url, { cacheFile: cacheFile() })
    expect(next.current().gramsPerKwh).toBe(50)
    expect(server.requests).toHaveLength(1)
    expect(problems).toEqual([])
  })

  it.each([
    { gramsPerKwh: -1 },
    { gramsPerKwh: '50' },
    { basis: 'guess' },
    { observedAtMs: null },
    { fetchedAtMs: 'x' },
  ])('is read with care: %j', async (change) => {
    const server = await startServer(good(50))
    await begin(server.url, { cacheFile: cacheFile() })
    const kept = JSON.parse(readFileSync(cacheFile(), 'utf8')) as {
      values: Record<string, { value: object }>
    }
    Object.assign(Object.values(kept.values)[0]!.value, change)
    writeFileSync(cacheFile(), JSON.stringify(kept))
    const next = create(server.url, { cacheFile: cacheFile() })
    next.start()
    expect(next.current().isLive).toBe(false)
    await next.settled()
    expect(next.current().gramsPerKwh).toBe(50)
  })

  it('remembers that a service wants to be left alone, and says why it is not asked', async () => {
    const server = await startServer((_request, response) =>
      response.writeHead(429, { 'retry-after': '600' }).end(),
    )
    await begin(server.url, { cacheFile: cacheFile() })
    clock.advance(60)
    const next = await begin(server.url, { cacheFile: cacheFile() })
    expect(server.requests).toHaveLength(1)
    expect(said[1]).toMatch(/asked an earlier run to leave it alone until 2026-01-01 00:26 UTC; the yearly/)
    server.answerWith(good(50))
    await pass(next, 540)
    expect(next.current().isLive).toBe(true)
  })

  it('is no reason to fail where it cannot be written: told once', async () => {
    writeFileSync(join(folder, 'state'), 'no folder')
    const server = await startServer(good(50))
    const live = await begin(server.url, { cacheFile: cacheFile() })
    await pass(live, 15 * minute)
    expect(live.current().isLive).toBe(true)
    expect(said.filter((message) => message.includes('cannot be kept'))).toHaveLength(1)
  })
})

describe('the program around it', () => {
  it('is left alone until start, and after close', async () => {
    const server = await startServer(good(50))
    const live = create(server.url)
    clock.advance(hour)
    expect(clock.waiting).toBe(0)
    live.start()
    await live.settled()
    live.close()
    live.close()
    live.start()
    await pass(live, 5 * hour)
    expect(server.requests).toHaveLength(1)
    expect(clock.waiting).toBe(0)
    expect(live.current().isLive).toBe(false)
    expect(said).toHaveLength(1)
  })

  it('breaks a request off by close, without a word', async () => {
    const server = await startServer(() => undefined)
    const live = create(server.url)
    live.start()
    await server.asked(1)
    live.close()
    await live.settled()
    await server.brokenOff
    expect([said, clock.waiting]).toEqual([[], 0])
  })

  it('has one request under way at most, however long it takes', async () => {
    const server = await startServer(() => undefined)
    const live = create(server.url, { timeoutMs: 10 * hour * 1000, refreshMs: 1000 })
    live.start()
    await server.asked(1)
    clock.advance(hour)
    live.current()
    clock.sleep(hour)
    live.current()
    clock.advance(0)
    expect(server.requests).toHaveLength(1)
    live.close()
  })

  it('may fail when it is told something', async () => {
    const fail = (): never => {
      throw new Error('of the program')
    }
    const server = await startServer({})
    const live = await begin(server.url, { onProblem: fail, onNotice: fail })
    server.answerWith(good(50))
    await pass(live, minute)
    expect(live.current().isLive).toBe(true)
  })
})
