import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import type { Probe, ProbeResult } from '../../src/core/probe.ts'
import { createGetJson, HttpRefusal, type GetJson } from '../../src/probes/bmc/get-json.ts'
import { parseChassis, parseMembers, parsePower } from '../../src/probes/bmc/parse-redfish.ts'
import { createRedfishProbe, type RedfishOptions } from '../../src/probes/redfish.ts'
import { expectReading } from '../contract/probe.ts'
import { fakeClock, type FakeClock } from '../fixtures/fake-clock.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

type Answers = Readonly<Record<string, unknown>>

const link = (path: string): Answers => ({ '@odata.id': path })

/**
 * A controller with a server and a board of graphics cards, after the mock-ups of DMTF (DSP2043) and of servers with HGX boards; shortened,
 * values invented.
 */
const controller: Answers = {
  '/redfish/v1/Chassis': {
    '@odata.id': '/redfish/v1/Chassis',
    Members: [link('/redfish/v1/Chassis/HGX_0'), link('/redfish/v1/Chassis/1U')],
  },
  '/redfish/v1/Chassis/HGX_0': {
    Id: 'HGX_0',
    ChassisType: 'Module',
    EnvironmentMetrics: link('/redfish/v1/Chassis/HGX_0/EnvironmentMetrics'),
  },
  '/redfish/v1/Chassis/HGX_0/EnvironmentMetrics': { PowerWatts: { Reading: 3000 } },
  '/redfish/v1/Chassis/1U': {
    Id: '1U',
    ChassisType: 'RackMount',
    Power: link('/redfish/v1/Chassis/1U/Power'),
    EnvironmentMetrics: link('/redfish/v1/Chassis/1U/EnvironmentMetrics'),
    PowerSubsystem: link('/redfish/v1/Chassis/1U/PowerSubsystem'),
  },
  '/redfish/v1/Chassis/1U/EnvironmentMetrics': {
    '@odata.type': '#EnvironmentMetrics.v1_3_0.EnvironmentMetrics',
    PowerWatts: { DataSourceUri: '/redfish/v1/Chassis/1U/Sensors/TotalPower', Reading: 374 },
  },
  '/redfish/v1/Chassis/1U/Power': {
    '@odata.type': '#Power.v1_5_0.Power',
    PowerControl: [
      { MemberId: '0', Name: 'System Power Control', PowerConsumedWatts: 344, PowerCapacityWatts: 800 },
      { MemberId: '1', Name: 'CPU', PowerConsumedWatts: 120 },
    ],
  },
}

function openRedfish(answers: Answers | Error = controller, options: Partial<RedfishOptions> = {}) {
  const asked: string[] = []
  let now: Answers | Error = answers
  const get: GetJson = async (path) => {
    asked.push(path)
    if (now instanceof Error) throw now
    if (!(path in now)) throw new HttpRefusal(404, 'it answered with HTTP 404', '')
    return now[path]
  }
  const clock = fakeClock()
  const probe = createRedfishProbe({ url: 'https://bmc.example', get, clock, ...options })
  return {
    asked,
    say(next: Answers | Error) {
      now = next
    },
    ...withTime(probe, clock),
  }
}

function withTime(
  probe: Probe,
  clock: FakeClock,
): { probe: Probe; read: (passed: number) => Promise<ProbeResult> } {
  onTestFinished(() => {
    probe.close?.()
  })
  return {
    probe,
    async read(passed) {
      // In steps, since what is asked needs a moment to be answered.
      for (let step = 0; step < 10; step += 1) {
        clock.advance(passed / 10)
        await new Promise((go) => setTimeout(go, 0))
      }
      return probe.read({ at: clock.now().monotonic, resumed: false })
    },
  }
}

describe('the power that a controller tells by Redfish', () => {
  test('it is that of the server and not of a board in it', async () => {
    const { read } = openRedfish()
    await read(0)
    expect(expectReading(await read(5), 'host-redfish')).toMatchObject({
      component: 'host',
      method: 'integrated',
      energy: 5 * 374,
    })
  })

  test('once it is found, nothing else is asked', async () => {
    const { asked, read } = openRedfish()
    await read(0)
    asked.length = 0
    await read(20)
    expect(new Set(asked)).toEqual(new Set(['/redfish/v1/Chassis/1U/EnvironmentMetrics']))
  })

  test('an older controller tells it in Power, the whole chassis first', async () => {
    const { '/redfish/v1/Chassis/1U/EnvironmentMetrics': _, ...older } = controller
    const { read } = openRedfish(older)
    await read(0)
    expect(expectReading(await read(1), 'host-redfish').energy).toBeCloseTo(344, 6)
  })

  test('the chassis that is named is read, whatever it is', async () => {
    const { read } = openRedfish(controller, { chassis: 'HGX_0' })
    await read(0)
    expect(expectReading(await read(1), 'host-redfish').energy).toBeCloseTo(3000, 6)
  })

  test('a controller without such a figure is said, with what it has', async () => {
    const { read } = openRedfish({
      '/redfish/v1/Chassis': { Members: [link('/redfish/v1/Chassis/HGX_0')] },
      '/redfish/v1/Chassis/HGX_0': controller['/redfish/v1/Chassis/HGX_0'],
    })
    const { readings, problems } = await read(1)
    expect(readings).toEqual([])
    expect(problems).toMatchObject([{ message: expect.stringContaining('it has "HGX_0"') }])
  })

  test('where the figure moves, it is looked for again', async () => {
    const { read, say } = openRedfish()
    await read(0)
    const { '/redfish/v1/Chassis/1U/EnvironmentMetrics': _, ...moved } = controller
    say(moved)
    await read(60)
    expect((await read(60)).readings).toHaveLength(1)
  })

  test('a controller that fails is a gap', async () => {
    const { read, say } = openRedfish()
    await read(0)
    say(new Error('the connection was refused'))
    await read(40)
    const { readings, problems } = await read(10)
    expect(readings).toEqual([])
    expect(problems).toMatchObject([
      { code: 'ERR_PROBE_READ', gap: 10, message: expect.stringContaining('the connection was refused') },
    ])
  })

  test.each([
    ['no object', 'text'],
    ['no figure', { PowerControl: [] }],
    ['null, as of a chassis that is off', { PowerWatts: { Reading: null } }],
    ['text', { PowerControl: [{ PowerConsumedWatts: '344' }] }],
    ['what was granted, not used', { CapacityWatts: 2000, Allocation: { AllocatedWatts: 800 } }],
  ])('an answer with %s is no power', (_, answer) => {
    expect(parsePower(answer)).toBeUndefined()
  })

  test("HP's first release tells it beside the controls", () => {
    expect(parsePower({ PowerConsumedWatts: 590, PowerControl: [{ PowerConsumedWatts: null }] })).toBe(590)
  })

  test('answers of another shape have no members and no links', () => {
    expect(parseMembers({ Members: 'none' })).toEqual([])
    expect(parseMembers({ Members: [{}, link('/a')] })).toEqual(['/a'])
    expect(parseChassis(null)).toEqual({ id: '', type: undefined, powerPaths: [] })
  })
})

describe('which service is asked', () => {
  test.each([undefined, 'http://bmc.example', 'bmc.example', 'https://root:secret@bmc.example'])(
    '%s is none that is',
    (url) => {
      expect(() => createRedfishProbe({ url, clock: fakeClock() })).toThrow(/Redfish/)
      expect(() => createRedfishProbe({ url, clock: fakeClock() })).not.toThrow(/secret/)
    },
  )
})

const hasOpenssl = spawnSync('openssl', ['version']).status === 0

describe.runIf(hasOpenssl)('the way to the service', () => {
  type Handler = (request: IncomingMessage, response: ServerResponse) => void

  /** A controller that signed its certificate itself, as they come from the factory. */
  async function startController(handler: Handler): Promise<{ origin: URL; ca: string; seen: string[] }> {
    const folder = temporaryFolder()
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
    execFileSync('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    })
    const ca = readFileSync(cert, 'utf8')
    const seen: string[] = []
    const server = createServer({ key: readFileSync(key), cert: ca }, (request, response) => {
      seen.push(`${request.url} ${request.headers.authorization}`)
      handler(request, response)
    })
    await new Promise<void>((done) => {
      server.listen(0, 'localhost', done)
    })
    onTestFinished(() => {
      server.close()
      server.closeAllConnections()
    })
    const { port } = server.address() as { port: number }
    return { origin: new URL(`https://localhost:${port}`), ca, seen }
  }
  const never = new AbortController().signal

  test('name and password go to the controller that is trusted', async () => {
    const { origin, ca, seen } = await startController((_request, response) => response.end('{"Id": "1"}'))
    const get = createGetJson({ clock: systemClock, origin, ca, user: 'reader', password: 'secret' })
    expect(await get('/redfish/v1/Chassis/1', never)).toEqual({ Id: '1' })
    expect(seen).toEqual([`/redfish/v1/Chassis/1 Basic ${btoa('reader:secret')}`])
  })

  test('to one that is not trusted nothing is sent', async () => {
    const { origin, seen } = await startController((_request, response) => response.end('{}'))
    const get = createGetJson({ clock: systemClock, origin, user: 'reader', password: 'secret' })
    await expect(get('/', never)).rejects.toThrow('signed by itself or by somebody unknown')
    expect(seen).toEqual([])
  })

  test('a redirect on the same host is followed, one to another host is not', async () => {
    const other = await startController((_request, response) => response.end('{}'))
    const { origin, ca } = await startController((request, response) => {
      const elsewhere = request.url === '/elsewhere'
      if (request.url === '/there/') response.end('{"Id": "there"}')
      else response.writeHead(308, { location: elsewhere ? `${other.origin.href}steal` : '/there/' }).end()
    })
    const get = createGetJson({
      clock: systemClock,
      origin,
      ca: `${ca}${other.ca}`,
      user: 'reader',
      password: 'secret',
    })
    expect(await get('/there', never)).toEqual({ Id: 'there' })
    await expect(get('/elsewhere', never)).rejects.toThrow('sends elsewhere')
    expect(other.seen).toEqual([])
  })

  test('a link in an answer that leads to another host is not followed', async () => {
    const { origin, ca } = await startController((_request, response) => response.end('{}'))
    const get = createGetJson({ clock: systemClock, origin, ca })
    await expect(get('https://example.com/redfish/v1', never)).rejects.toThrow('sends elsewhere')
  })

  test.each([
    [401, 'does not accept the user name and the password'],
    [403, 'may not read the power'],
    [500, 'HTTP 500'],
  ])('HTTP %d is told without name, password or text of the service', async (status, message) => {
    const { origin, ca } = await startController((_request, response) => {
      response.writeHead(status).end('secret of the service')
    })
    const get = createGetJson({ clock: systemClock, origin, ca, user: 'reader', password: 'secret' })
    const failed = await get('/', never).catch((error: unknown) => String(error))
    expect(failed).toContain(message)
    expect(failed).not.toContain('secret')
  })

  test('who gave no user, or another certificate, is told that', async () => {
    const { origin, ca } = await startController((_request, response) => {
      response.writeHead(401).end()
    })
    const ask = (more: object): Promise<string> =>
      createGetJson({ clock: systemClock, origin, ca, ...more })('/', never).then(String, String)
    expect(await ask({})).toContain('it asks for a user name and a password')
    expect(await ask({ user: 'reader' })).toContain('the user name without a password')
    const { ca: other } = await startController((_request, response) => response.end())
    expect(await ask({ ca: other })).toContain('is not the one in redfish_ca_file')
  })

  test('a controller that accepts and keeps silent is told after five seconds, with what would help', async () => {
    const { origin, ca, seen } = await startController(() => undefined)
    const clock = fakeClock()
    const answer = createGetJson({ clock, origin, ca })('/', never)
    const failed = expect(answer).rejects.toMatchObject({
      message: 'it gave no complete answer within 5 s',
      remedy: expect.stringContaining('network of their own'),
    })
    await vi.waitFor(() => {
      expect(seen).toHaveLength(1)
    })
    clock.advance(5)
    await failed
  })

  test('what is no JSON is an error that does not quote it', async () => {
    const { origin, ca } = await startController((_request, response) => response.end('<html>secret'))
    const failed = await createGetJson({ clock: systemClock, origin, ca })('/', never).catch(
      (error: unknown) => String(error),
    )
    expect(failed).toContain('no JSON')
    expect(failed).not.toContain('secret')
  })
})
