import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { startFakePrometheus, type FakePrometheusOptions } from '../fixtures/fake-prometheus.ts'
import { powerOf, scrapesOf, toSeries, type PastRun } from '../fixtures/fleet-history.ts'
import { runCli, type Ended } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

let folder: string

beforeEach(() => {
  folder = temporaryFolder()
})

const report = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  runCli(['report', ...args], { folder, env })

/** The end of all ranges: 2026-11-01T00:00:00Z. */
const until = Date.UTC(2026, 10, 1) / 1000
const hours = 3600
const days = 24 * hours
const joulesPerKilowattHour = 3.6e6

const run = (facts: Partial<PastRun>): PastRun => ({
  ...{ instance: 'node-1:12044', runId: 'run-1', project: 'train', cpuWatts: 100 },
  ...{ start: until - 10 * days, end: until - 9 * days, ...facts },
})

/** kWh of a run that were seen from one time to another: its counters begin with it, and stand still between two scrapes. */
function seenKwh(past: PastRun, from: number, to = until): number {
  const times = scrapesOf(past)
  const at = (end: number): number => (times.findLast((time) => time <= end) ?? past.start) - past.start
  return (powerOf(past) * (at(to) - at(from))) / joulesPerKilowattHour
}

interface Statement {
  readonly prometheus: {
    readonly address: string
    readonly targets: number
    readonly reading_seconds: number
    readonly unseen_energy_kwh_at_most: number
    readonly doubts: readonly string[]
  }
  readonly by: string
  readonly total: Sums
  readonly projects?: readonly (Sums & { readonly project_name: string | null })[]
  readonly groups?: readonly (Sums & Readonly<Record<string, string | null>>)[]
}

interface Sums {
  readonly runs: number
  readonly unmeasured_runs: number
  readonly energy_kwh: number
  readonly energy_low_kwh: number
  readonly energy_high_kwh: number
  readonly emissions_kg: number
  readonly emissions_low_kg: number
  readonly emissions_high_kg: number
  readonly market_emissions_kg: number | null
  readonly embodied_kg: number | null
  readonly water_litres: number | null
  readonly measured_share: number
  readonly carbon_intensity_g_per_kwh: number
  readonly duration_seconds: number
  readonly components: readonly { readonly component: string; readonly energy_kwh: number }[]
  readonly sci: readonly { readonly grams_per_unit: number; readonly functional_units: number }[]
}

async function statement(
  runs: readonly PastRun[],
  args: readonly string[] = [],
  options: FakePrometheusOptions = {},
): Promise<{ json: Statement; stderr: string; expressions: readonly string[] }> {
  const server = await startFakePrometheus(toSeries(runs), options)
  const all = ['--from-prometheus', server.url, '--until', String(until), '--json', ...args]
  const { code, stdout, stderr } = await report(all)
  if (code !== 0) throw new Error(`${code}: ${stderr}`)
  return { json: JSON.parse(stdout) as Statement, stderr, expressions: server.expressions }
}

const from30 = until - 30 * days

describe('the energy of a fleet', () => {
  it('is what each run had counted at its last scrape: the first sample is not lost', async () => {
    const past = run({ start: until - 5 * hours + 17, end: until - 4 * hours })
    const { json } = await statement([past])
    expect(json.total.energy_kwh).toBeCloseTo(seenKwh(past, from30), 9)
    // Less than one scrape interval is missing from the whole.
    const whole = (powerOf(past) * (past.end - past.start)) / joulesPerKilowattHour
    const missing = whole - json.total.energy_kwh
    expect(missing).toBeLessThan((powerOf(past) * 60.001) / joulesPerKilowattHour)
    expect(missing).toBeLessThanOrEqual(json.prometheus.unseen_energy_kwh_at_most)
    expect(json.prometheus.reading_seconds).toBe(60)
  })

  it('is that of a run seen once, of which increase() would tell nothing', async () => {
    const past = run({ start: until - 5 * hours + 1, end: until - 5 * hours + 90 })
    expect(scrapesOf(past)).toHaveLength(1)
    expect((await statement([past])).json.total.energy_kwh).toBeCloseTo(seenKwh(past, from30), 9)
  })

  it('counts every one of several runs on one target, those with more energy than the one before too', async () => {
    const start = until - 2 * days + 7
    const runs = Array.from({ length: 40 }, (_, index) =>
      run({
        runId: `run-${index}`,
        project: index % 3 === 0 ? 'train' : 'serve',
        // Each begins where the one before ended, and its counters have overtaken it at the first scrape.
        start: start + index * 130,
        end: start + (index + 1) * 130,
        cpuWatts: 50 + 400 * index,
      }),
    )
    const { json } = await statement(runs)
    const sum = (some: readonly PastRun[]): number =>
      some.reduce((whole, past) => whole + seenKwh(past, from30), 0)
    expect(json.total.runs).toBe(40)
    expect(json.total.energy_kwh).toBeCloseTo(sum(runs), 8)
    expect(json.prometheus.reading_seconds).toBe(60)
    const groups = Object.fromEntries(
      (json.projects ?? []).map(({ project_name: name, energy_kwh: kwh }) => [name, kwh]),
    )
    expect(groups['train']).toBeCloseTo(sum(runs.filter(({ project }) => project === 'train')), 8)
    expect(groups['serve']).toBeCloseTo(sum(runs.filter(({ project }) => project === 'serve')), 8)
  })

  it('leaves out what a run used before the range', async () => {
    const past = run({ start: until - 40 * days, end: until + days, every: 600 })
    const { json } = await statement([past])
    expect(json.total.energy_kwh).toBeCloseTo(seenKwh(past, from30), 6)
    expect(json.total.duration_seconds).toBe(30 * days)
  })

  it('does so where the target was out of sight when the range began', async () => {
    const past = run({
      ...{ start: until - 40 * days, end: until, every: 300 },
      away: [[from30 - 5 * hours, from30 + 5 * hours]],
    })
    const { json } = await statement([past])
    expect(json.total.energy_kwh).toBeCloseTo(seenKwh(past, from30), 6)
  })

  it('is whole where a target was away in between', async () => {
    const past = run({ end: until - 8 * days, away: [[until - 9.5 * days, until - 9 * days]] })
    expect((await statement([past])).json.total.energy_kwh).toBeCloseTo(seenKwh(past, from30), 9)
  })

  it('is counted without runs that are told apart, where counters begin again', async () => {
    const runs = [
      run({ runId: undefined, start: until - 4 * hours, end: until - 3 * hours }),
      run({ runId: undefined, start: until - 2.5 * hours, end: until - 2.1 * hours }),
      run({ runId: undefined, start: until - 2 * hours, end: until - hours }),
    ]
    const { json } = await statement(runs)
    const sum = runs.reduce((whole, past) => whole + seenKwh(past, from30), 0)
    expect(json.total).toMatchObject({ runs: 1 })
    expect(json.total.energy_kwh).toBeCloseTo(sum, 9)
    expect(json.projects).toMatchObject([{ project_name: null }])
  })

  it.each(['10m', '90m', '1d', '36h', '1w1h1m1s'])('is that of the range alone: %s', async (range) => {
    const past = run({ start: until - 20 * days, end: until + hours })
    const seconds =
      { '10m': 600, '90m': 5400, '1d': days, '36h': 36 * hours, '1w1h1m1s': 7 * days + 3661 }[range] ?? 0
    const { json } = await statement([past], ['--range', range])
    expect(json.total.energy_kwh).toBeCloseTo(seenKwh(past, until - seconds), 4)
  })

  it('counts a run once that two replicas, or a Collector beside the endpoint, have scraped too', async () => {
    const past = run({})
    const { json, stderr } = await statement([
      { ...past, labels: { replica: 'a' } },
      { ...past, labels: { replica: 'b' } },
      { ...past, job: 'train', instance: 'run-1' },
    ])
    expect(json.total).toMatchObject({ runs: 1 })
    expect(json.total.energy_kwh).toBeCloseTo(seenKwh(past, from30), 9)
    expect(stderr).toMatch(/2 of the series of runs are of a run that was scraped from elsewhere too/)
  })

  it('follows a run whose target was given another name on the way', async () => {
    const facts = { start: until - 40 * days, end: until, every: 300 }
    const renamed = until - 10 * days
    const { json } = await statement([
      run({ ...facts, job: 'old', away: [[renamed, until]] }),
      run({ ...facts, job: 'new', away: [[facts.start, renamed]] }),
    ])
    expect(json.total).toMatchObject({ runs: 1, duration_seconds: 30 * days - 300 })
    expect(json.total.energy_kwh).toBeCloseTo(seenKwh(run(facts), from30), 6)
  })

  it('is told apart where a Collector repeats the run that ended beside the one that began', async () => {
    const first = run({ runId: 'first', start: until - 5 * hours, end: until - 4 * hours })
    const second = run({
      runId: 'second',
      cpuWatts: 40,
      project: 'serve',
      start: until - 4 * hours,
      end: until - 3 * hours,
    })
    const series = toSeries([first, second])
    const info = series.find(({ labels }) => labels['run_id'] === 'first')
    const repeats = [1, 2, 3, 4, 5].map((minute) => [first.end + 60 * minute, 1] as const)
    const server = await startFakePrometheus(
      series.map((one) => (one === info ? { ...one, points: [...one.points, ...repeats] } : one)),
    )
    const { stdout } = await report(['--from-prometheus', server.url, '--until', String(until), '--json'])
    expect((JSON.parse(stdout) as Statement).projects).toMatchObject([
      { project_name: 'train', energy_kwh: expect.closeTo(seenKwh(first, from30), 9) as number },
      { project_name: 'serve', energy_kwh: expect.closeTo(seenKwh(second, from30), 9) as number },
    ])
  })

  it('is that of its own energy alone where another run tells of the machine, and says so', async () => {
    const times = { start: until - 5 * hours, end: until - 4 * hours, trackingMode: 'machine' }
    const monitor = run({ runId: 'monitor', project: 'machines', ...times })
    const beside = run({ runId: 'beside', instance: 'node-1:12045', ...times, isSilent: true })
    const server = await startFakePrometheus(toSeries([monitor, beside]))
    const args = ['--from-prometheus', server.url, '--until', String(until)]
    const json = JSON.parse((await report([...args, '--json'])).stdout) as Statement
    expect(json.projects).toMatchObject([
      { project_name: 'machines', energy_kwh: expect.closeTo(seenKwh(monitor, from30), 9) as number },
    ])
    const { stdout } = await report(args)
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      '1 run, of the projects train: the energy of their machines',
    )
    expect(stdout).not.toContain('at one time')
  })

  it('goes with the time that the run took, which begins before its first scrape', async () => {
    const began = until - 2 * hours
    const late = run({
      start: began,
      end: until - hours,
      tellsStart: true,
      away: [[began, began + 1800]],
    })
    const server = await startFakePrometheus(toSeries([late]))
    const args = ['--from-prometheus', server.url, '--until', String(until), '--json']
    const { total } = JSON.parse((await report(args)).stdout) as {
      total: { duration_seconds: number; first_timestamp: string; last_timestamp: string }
    }
    expect(total.duration_seconds).toBe(3600 - 60)
    const spanMs = Date.parse(total.last_timestamp) - Date.parse(total.first_timestamp)
    expect(spanMs).toBe((3600 - 60) * 1000)
  })

  it('is in no doubt where one run took over from another', async () => {
    const span = { start: until - 5 * hours, end: until - 3.5 * hours, trackingMode: 'machine' }
    const first = run({ runId: 'first', project: 'machines', ...span, tells: [[span.start, span.end]] })
    const second = run({
      runId: 'second',
      project: 'machines',
      instance: 'node-1:12045',
      ...span,
      end: until - hours,
      tells: [[span.end, until]],
    })
    const server = await startFakePrometheus(toSeries([first, second]))
    const { stdout } = await report(['--from-prometheus', server.url, '--until', String(until)])
    expect(stdout).not.toContain('at one time')
    const together = [first, second].map((one) => ({ ...one, tells: [[span.start, until]] as const }))
    const other = await startFakePrometheus(toSeries(together))
    const { stdout: doubtful } = await report(['--from-prometheus', other.url, '--until', String(until)])
    expect(doubtful.replaceAll(/\s+/g, ' ')).toContain('several runs measured the whole machine at one time')
  })

  it('is in doubt where several runs measured one machine at one time', async () => {
    const machine = run({ trackingMode: 'machine' })
    const second = { ...machine, runId: 'run-2', instance: 'node-1:12045' }
    const other = { ...machine, runId: 'run-3', instance: 'node-2:12044' }
    const { json, stderr } = await statement([machine, second, other])
    expect(stderr).toMatch(/measured the whole machine at one time.*: node-1; choose one/)
    expect(json.prometheus.doubts).toHaveLength(1)
    const later = { ...second, start: machine.end + 60, end: machine.end + hours }
    expect((await statement([machine, later, other])).json.prometheus.doubts).toEqual([])
  })
})

describe('what stands beside the energy', () => {
  it('is all that was scraped', async () => {
    const past = run({
      gpuWatts: 250,
      pue: 1.5,
      intensity: 50,
      market: 0,
      wue: 1.8,
      embodiedPerHour: 3,
      units: 2,
    })
    const { json } = await statement([past])
    const kwh = seenKwh(past, from30)
    const { total } = json
    const close = (value: number | null, expected: number): void => {
      expect(value ?? Number.NaN).toBeCloseTo(expected, 6)
    }
    close(total.emissions_kg, (kwh * 50) / 1000)
    close(total.emissions_low_kg, (kwh * 0.8 * 50) / 1000)
    close(total.emissions_high_kg, (kwh * 1.3 * 50) / 1000)
    close(total.energy_low_kwh, kwh * 0.9)
    close(total.energy_high_kwh, kwh * 1.2)
    close(total.market_emissions_kg, 0)
    close(total.measured_share, 350 / 360)
    close(total.carbon_intensity_g_per_kwh, 50)
    close(total.water_litres, kwh * 1.8)
    const seconds = scrapesOf(past).length * 60 - 60
    close(total.duration_seconds, seconds)
    close(total.embodied_kg, (3 * seconds) / hours / 1000)
    close(total.sci[0]?.functional_units ?? 0, 2 * seconds)
    close(total.sci[0]?.grams_per_unit ?? 0, (kwh * 50 + (3 * seconds) / hours) / (2 * seconds))
    // With PUE, as in files of runs.
    expect(total.components).toMatchObject([
      { component: 'cpu', energy_kwh: expect.closeTo((kwh * 100) / 360, 6) as number },
      { component: 'ram', energy_kwh: expect.closeTo((kwh * 10) / 360, 6) as number },
      { component: 'gpu', energy_kwh: expect.closeTo((kwh * 250) / 360, 6) as number },
    ])
    expect(json).toMatchObject({
      pues: [{ pue: 1.5, runs: 1 }],
      cpus: [{ model: 'AMD EPYC 7763 64-Core Processor' }],
      intensities: [{ source: 'Ember, Yearly Electricity Data', year: 2024 }],
      software: [{ codecarbon_version: '0.1.0', runtime_version: 'node v22.0.0' }],
      tracking_modes: [{ mode: 'process' }],
    })
  })

  it('is unknown, and not zero, where there are no series of it', async () => {
    const series = toSeries([run({})]).filter(
      ({ labels: { __name__: name = '' } }) => !/emissions|bound/.test(name),
    )
    const server = await startFakePrometheus(series)
    const { stdout } = await report(['--from-prometheus', server.url, '--until', String(until), '--json'])
    expect((JSON.parse(stdout) as Statement).total).toMatchObject({
      ...{ emissions_kg: null, market_emissions_kg: null, water_litres: null, embodied_kg: null },
      ...{ energy_low_kwh: null, carbon_intensity_g_per_kwh: null },
    })
    const unmeasured = await startFakePrometheus(
      series.filter(({ labels }) => labels['__name__'] !== 'codecarbon_component_energy_joules_total'),
    )
    const text = await report(['--from-prometheus', unmeasured.url, '--until', String(until)])
    expect(text.stdout).toMatch(/^Energy +unmeasured$/m)
  })

  it.each(['text', 'markdown', 'latex'])(
    'is told in %s, with where it is from and what was not seen',
    async (format) => {
      const server = await startFakePrometheus(
        toSeries([run({}), run({ runId: 'b', instance: 'b:1', project: 'serve' })]),
      )
      const args = ['--from-prometheus', server.url.replace('//', '//me:secret@'), '--until', String(until)]
      const { code, stdout, stderr } = await report([...args, '--format', format])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const text = stdout.replaceAll(/\s+/g, ' ').replaceAll('~', ' ')
      expect(text).toContain('from Prometheus at http'.slice(format === 'text' ? 5 : 0))
      expect(text).toContain(server.url.slice('http://'.length))
      expect(text).toMatch(
        /hat runs used after their last scrape, at most [\d.]+ .?Wh, and runs that began and ended within 1 min 00 s are in no sum/,
      )
      expect(text).not.toMatch(/secret|undefined|NaN/)
    },
  )
})

describe('runs are told apart', () => {
  const runs = [
    run({ instance: 'a:1', job: 'gpu', runId: '1', country: 'FRA', cpuWatts: 400 }),
    run({ instance: 'b:1', job: 'gpu', runId: '2', country: 'DEU', cpuWatts: 300 }),
    run({ instance: 'b:1', job: 'cpu', runId: '3', country: 'FRA', project: 'serve', cpuWatts: 50 }),
  ]

  it.each([
    ['project', ['train', 'serve']],
    ['country', ['FRA', 'DEU']],
    ['instance', ['a:1', 'b:1']],
    ['job', ['gpu', 'cpu']],
    ['none', []],
  ])('by %s', async (by, names) => {
    const { json } = await statement(runs, ['--by', by])
    const groups = json.projects ?? json.groups ?? []
    expect(
      groups.map((group) => (group as Record<string, unknown>)[by === 'project' ? 'project_name' : by]),
    ).toEqual(names)
    expect(json).toMatchObject({ by, total: { runs: 3 } })
  })

  it('in a table for people', async () => {
    const server = await startFakePrometheus(toSeries(runs))
    const args = ['--from-prometheus', server.url, '--until', String(until), '--by', 'instance']
    const { stdout } = await report(args)
    expect(stdout).toMatch(/^CodeCarbon: 3 runs on 2 instances/)
    expect(stdout).toMatch(/^Instances\n.*instance\n.* a:1\n.* b:1\n$/m)
  })

  it('and chosen by project and by labels', async () => {
    expect((await statement(runs, ['--project', 'serve'])).json.total.runs).toBe(1)
    expect((await statement(runs, ['--match', '{instance="b:1", job=~"g.*"}'])).json.total.runs).toBe(1)
  })
})

describe('a Prometheus that gives no more than so much', () => {
  it('is asked in parts, and the sums are the same', async () => {
    const start = until - 3 * days + 7
    const runs = Array.from({ length: 30 }, (_, index) => [
      run({
        runId: `run-${index}`,
        start: start + index * 500,
        end: start + (index + 1) * 500,
        cpuWatts: 50 + index,
      }),
      run({
        runId: `other-${index}`,
        instance: 'node-2:1',
        start: start + index * 700,
        end: start + (index + 1) * 700,
      }),
    ]).flat()
    const whole = await statement(runs, ['--range', '4d'])
    const parts = await statement(runs, ['--range', '4d'], { mostSamples: 400 })
    expect(parts.json.total).toEqual(whole.json.total)
    expect(parts.expressions.length).toBeGreaterThan(whole.expressions.length)
  })

  it('is told when even the smallest part is too much', async () => {
    const server = await startFakePrometheus(toSeries([run({})]), { mostSamples: 3 })
    const { code, stdout, stderr } = await report(['--from-prometheus', server.url, '--until', String(until)])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(
      /Prometheus at http:.* was asked for too much at once \(HTTP 422\): query processing/,
    )
  })
})

describe('who asks', () => {
  /** Headers that the server was asked with. */
  async function headersFor(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    address: (url: string) => string = (url) => url,
  ): Promise<NodeJS.Dict<string | string[]>> {
    const server = await startFakePrometheus(toSeries([run({})]))
    const { code, stdout, stderr } = await report(
      ['--from-prometheus', address(server.url), '--until', String(until), ...args],
      env,
    )
    expect(code, stderr).toBe(0)
    expect(`${stdout}${stderr}`).not.toContain('secret')
    return server.requests[0]?.headers ?? {}
  }
  const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`

  it('is in the address, in variables, in headers or in a file', async () => {
    expect(await headersFor([], {}, (url) => url.replace('//', '//me:secret@'))).toMatchObject({
      authorization: basic,
    })
    const pair = { PROMETHEUS_USERNAME: 'me', PROMETHEUS_PASSWORD: 'secret' }
    expect(await headersFor([], pair)).toMatchObject({ authorization: basic })
    expect(await headersFor([], { PROMETHEUS_BEARER_TOKEN: 'secret' })).toMatchObject({
      authorization: 'Bearer secret',
    })
    expect(
      await headersFor(['--header', 'X-Scope-OrgID: team|other', '--header', 'Authorization: Bearer secret']),
    ).toMatchObject({ 'x-scope-orgid': 'team|other', authorization: 'Bearer secret' })
    writeFileSync(join(folder, 'token'), 'secret\n')
    writeFileSync(
      join(folder, 'http.yml'),
      'authorization: { credentials_file: token }\nhttp_headers: { X-Scope-OrgID: { values: [team] } }\n',
    )
    expect(await headersFor(['--http-config-file', 'http.yml'])).toMatchObject({
      ...{ 'x-scope-orgid': 'team', authorization: 'Bearer secret' },
    })
    writeFileSync(join(folder, 'basic.yml'), 'basic_auth: { username: me, password_file: token }\n')
    expect(await headersFor(['--http-config-file', 'basic.yml'])).toMatchObject({ authorization: basic })
  })

  it.each([
    ['http.yml', 'basic_auth: { username: me }', /basic_auth: expected username and password/],
    [
      'http.yml',
      'basic_auth: { username: me, pasword: secret }',
      /basic_auth: pasword is not known: expected username,/,
    ],
    [
      'http.yml',
      'authorization: { credentials_file: nothing }',
      /authorization\.credentials_file cannot be read: ENOENT/,
    ],
    [
      'http.yml',
      'authorization: { credentials: "secret\\nsecret" }',
      /authorization: expected a text on one line/,
    ],
    ['http.yml', 'authorization: { credentials: secret: secret }', /http\.yml: it is no YAML/],
    ['http.yml', 'tls_config: { cert_file: http.yml }', /tls_config: expected a certificate and its key/],
    ['nothing.yml', '', /nothing\.yml: there is no such file/],
  ])('is told of a mistake in %s without what is secret: %s', async (file, text, message) => {
    writeFileSync(join(folder, 'http.yml'), text)
    const { code, stderr } = await report(['--from-prometheus', 'localhost:1', '--http-config-file', file])
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
    expect(stderr).not.toContain('secret')
  })
})

describe('a wrong call', () => {
  it.each([
    [
      ['--from-prometheus', 'ftp://host'],
      /--from-prometheus: .*expected the address of a Prometheus, such as http/,
    ],
    [['--from-prometheus', 'http://me:secret@ho st'], /--from-prometheus: .*expected the address/],
    [['--from-prometheus', 'http://h/?a=b'], /--from-prometheus: it has a \?/],
    [
      ['--from-prometheus', 'http://h', '--range', '30'],
      /--range is "30": expected a length of time from 1m to 10y/,
    ],
    [['--from-prometheus', 'http://h', '--range', ''], /--range is "": expected/],
    [['--from-prometheus', 'http://h', '--range', '5s'], /--range is "5s": expected/],
    [['--from-prometheus', 'http://h', '--range', '-1d'], /--range is "-1d": expected/],
    [['--from-prometheus', 'http://h', '--until', 'soon'], /--until is "soon": expected a moment/],
    [['--from-prometheus', 'http://h', '--until', '2026-13-45'], /--until is .*: expected a moment/],
    [['--from-prometheus', 'http://h', '--match', 'job=a'], /--match is "job=a": expected matchers/],
    [['--from-prometheus', 'http://h', '--match', ' '], /--match is " ": expected matchers/],
    [
      ['--from-prometheus', 'http://h', '--header', 'secret'],
      /--header: expected a header of the form Name: value/,
    ],
    [['--from-prometheus', 'http://h', '--timeout', '0'], /--timeout.*from 1 to 3600/],
    [['--from-prometheus', 'http://h', '--by', 'host'], /--by.*host.*project, country/],
    [['--from-prometheus', 'http://h', 'a.csv'], /takes the place of files, and a\.csv was given too/],
    [['a.csv', '--range', '1d'], /--range is about a Prometheus: give --from-prometheus too/],
    [['a.csv', '--http-config-file', 'x'], /--http-config-file is about a Prometheus/],
    [['a.csv', '--by', 'instance'], /--by instance is about a Prometheus/],
  ])('ends with 2 and one line: %j', async (args, message) => {
    const { code, stdout, stderr } = await report(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(message)
    expect(stderr.trimEnd()).not.toContain('\n')
    expect(stderr).not.toContain('secret')
  })
})

describe('a Prometheus that does not tell', () => {
  const failing = async (
    options: FakePrometheusOptions,
    series = toSeries([run({})]),
    args: readonly string[] = [],
  ): Promise<string> => {
    const server = await startFakePrometheus(series, options)
    const { code, stdout, stderr } = await report([
      ...[
        '--from-prometheus',
        `${server.url.replace('//', '//me:secret@')}/prefix`,
        '--until',
        String(until),
      ],
      ...args,
    ])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr.trimEnd()).not.toContain('\n')
    expect(stderr).not.toContain('secret')
    return stderr
  }
  const answers =
    (
      status: number,
      headers: Readonly<Record<string, string>> = {},
      body = '',
    ): NonNullable<FakePrometheusOptions['before']> =>
    (_, response) => {
      response.writeHead(status, headers).end(body)
      return true
    }

  it('that it has none of our metrics is said, and zero is not', async () => {
    expect(await failing({}, [])).toMatch(
      /has no metrics of codecarbon from 2026-10-02T00:00:00Z to 2026-11-01T00:00:00Z: check that it scrapes the endpoints, and --range/,
    )
    expect(await failing({}, [], ['--match', 'job="x"'])).toMatch(
      /no metrics of codecarbon with job="x" from/,
    )
    expect(await failing({}, toSeries([run({})]), ['--project', 'trian'])).toMatch(
      /no runs of a project trian; did you mean train\?/,
    )
  })

  it.each([
    [answers(401), /does not accept who asks \(HTTP 401\): check the user and password/],
    [answers(404), /has no API at this address \(HTTP 404\)/],
    [
      answers(302, { location: 'http://other/login?token=secret' }),
      /answered with a redirect to http:\/\/other\/login, which is not followed \(HTTP 302\)/,
    ],
    [answers(200, {}, '<html>log in</html>'), /something else than the API of Prometheus: check the address/],
    [answers(200, {}, '{"status":"success","data":{"result":[1]}}'), /something else than the API/],
    [
      answers(200, {}, '{"status":"success","data":{"result":[{"metric":{},"value":[1,2]}]}}'),
      /something else than the API/,
    ],
    [
      answers(400, {}, '{"status":"error","errorType":"bad_data","error":"parse\\nerror"}'),
      /refuses the question \(HTTP 400\): parse error/,
    ],
  ])('%o', async (before, message) => {
    expect(await failing({ before })).toMatch(message)
  })

  it('is asked again where that may help', async () => {
    let asked = 0
    const before: FakePrometheusOptions['before'] = (_, response) => {
      asked += 1
      if (asked > 2) return false
      response.writeHead(503, { 'retry-after': '0' }).end()
      return true
    }
    expect((await statement([run({})], [], { before })).json.total.runs).toBe(1)
    expect(asked).toBeGreaterThan(3)
  })

  it('is asked by GET where POST is refused', async () => {
    const before: FakePrometheusOptions['before'] = (request, response) => {
      if (request.method === 'GET') return false
      response.writeHead(405).end()
      return true
    }
    expect((await statement([run({})], [], { before })).json.total.runs).toBe(1)
  })

  it('is not waited for longer than was said', async () => {
    const message = await failing({ before: () => true }, [], ['--timeout', '1'])
    expect(message).toMatch(/gave no complete answer within 1 s/)
  })

  it('that nobody listens is said', async () => {
    const { code, stderr } = await report(['--from-prometheus', 'http://127.0.0.1:1'])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /Prometheus at http:\/\/127\.0\.0\.1:1 cannot be reached: the connection was refused/,
    )
  })

  it('that an answer is partial is on stderr and in the statement', async () => {
    const warnings = ['store\u001B[31m 10.0.0.1 gave no answer']
    const { json, stderr } = await statement([run({})], [], { warnings })
    expect(stderr).toBe('codecarbon: Prometheus warns: store [31m 10.0.0.1 gave no answer\n')
    expect(json.prometheus.doubts).toEqual(['Prometheus warns: store [31m 10.0.0.1 gave no answer'])
  })
})

it('has a prefix, whether it is given with /api/v1 or not', async () => {
  const server = await startFakePrometheus(toSeries([run({})]))
  for (const suffix of ['/prefix', '/prefix/', '/prefix/api/v1', '/prefix/api/v1/query']) {
    const args = ['--from-prometheus', `${server.url}${suffix}`, '--until', String(until), '-o', 'out.txt']
    expect((await report(args)).code).toBe(0)
    expect(readFileSync(join(folder, 'out.txt'), 'utf8')).toContain(`Prometheus at ${server.url}/prefix, `)
  }
  const paths = new Set(server.requests.map(({ url }) => url))
  expect(paths).toEqual(new Set(['/prefix/api/v1/query', '/prefix/api/v1/query_range']))
})
