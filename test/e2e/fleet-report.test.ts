import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { powerOf, scrapesOf, toOpenMetrics, toSeries, type PastRun } from '../fixtures/fleet-history.ts'
import { startFakePrometheus } from '../fixtures/fake-prometheus.ts'
import { runCli, startChild } from '../fixtures/programs/child.ts'
import {
  freePort,
  isInstalled,
  startPrometheus,
  until as untilHolds,
} from '../fixtures/programs/prometheus.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const isRun = isInstalled('prometheus', 'promtool')
if (!isRun) {
  console.log(
    'Skipped: the statement of a fleet. It needs prometheus and promtool, of the package prometheus of Debian.',
  )
}

const joulesPerKilowattHour = 3.6e6
const hours = 3600
const days = 24 * hours
/** The range ends at a full hour of a day ago. */
const until = Math.floor(Date.now() / 1000 / hours) * hours - days

/** A month of a fleet: monitors that go on, one that was away, a machine of jobs that follow on each other, a run that was seen once. */
function month(): PastRun[] {
  const monitor = (name: string, facts: Partial<PastRun>): PastRun => ({
    ...{ instance: `${name}:12044`, runId: `monitor-${name}`, project: name, cpuWatts: 80 },
    ...{ start: until - 45 * days, end: until + hours, every: 300, trackingMode: 'machine', ...facts },
  })
  const jobs = Array.from({ length: 300 }, (_, index): PastRun => ({
    ...{ instance: 'ci:9000', job: 'ci', runId: `job-${index}`, project: index % 2 === 0 ? 'build' : 'test' },
    ...{ start: until - 20 * days + index * 700 + 3, end: until - 20 * days + (index + 1) * 700 },
    ...{ cpuWatts: 20 + 3 * index, every: 60, country: 'DEU', intensity: 380 },
  }))
  // As a Collector labels runs that send their figures to it.
  const sent = Array.from({ length: 40 }, (_, index): PastRun => ({
    ...{ instance: `sent-${index}`, job: 'batch', runId: `sent-${index}`, project: 'batch', cpuWatts: 90 },
    ...{ start: until - 9 * days + index * 900 + 11, end: until - 9 * days + index * 900 + 190, every: 60 },
  }))
  return [
    monitor('rack-1', { gpuWatts: 300, pue: 1.3 }),
    monitor('rack-2', { isMeasured: false, away: [[until - 31 * days, until - 29 * days]] }),
    monitor('rack-3', { start: until - 3 * days, end: until - 2 * days - 5 * hours }),
    monitor('rack-3', { runId: 'monitor-rack-3b', start: until - 2 * days - 5 * hours, cpuWatts: 200 }),
    ...jobs,
    ...sent,
    {
      ...{ instance: 'laptop:1', runId: 'once', project: 'try', cpuWatts: 30, every: 60 },
      ...{ start: until - 6 * days + 50, end: until - 6 * days + 70 },
    },
  ]
}

/** kWh that were seen in the last 30 days. */
function seenKwh(run: PastRun): number {
  const times = scrapesOf(run)
  const at = (end: number): number =>
    Math.max(0, (times.findLast((time) => time <= end) ?? run.start) - run.start)
  return (powerOf(run) * (at(until) - at(until - 30 * days))) / joulesPerKilowattHour
}

/** Writes what a Prometheus has scraped of these runs. @returns the folder of its database */
function databaseOf(runs: readonly PastRun[]): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'history.txt'), toOpenMetrics(toSeries(runs)))
  // In few blocks: the text is read once for each.
  const command = ['tsdb', 'create-blocks-from', '--max-block-duration=1500h', 'openmetrics']
  execFileSync('promtool', [...command, join(folder, 'history.txt'), join(folder, 'data')], { stdio: 'pipe' })
  return join(folder, 'data')
}

/** Starts a Prometheus on a copy of a database. */
function prometheusOn(database: string, flags: readonly string[] = []): ReturnType<typeof startPrometheus> {
  const folder = temporaryFolder()
  cpSync(database, join(folder, 'prometheus/data'), { recursive: true })
  return startPrometheus(folder, {}, { flags: ['--storage.tsdb.retention.time=1y', ...flags] })
}

interface Json {
  readonly total: Record<string, number>
  readonly projects: readonly (Record<string, number> & { readonly project_name: string })[]
  readonly prometheus: { readonly doubts: readonly string[]; readonly unseen_energy_kwh_at_most: number }
}

async function reportJson(url: string, ...args: readonly string[]): Promise<Json> {
  const { code, stdout, stderr } = await runCli(
    ['report', '--from-prometheus', url, '--until', String(until), '--json', ...args],
    { folder: temporaryFolder() },
  )
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout) as Json
}

describe.skipIf(!isRun)('the statement of a fleet', { timeout: 180_000 }, () => {
  it('has the known sums of a month in a real Prometheus, whole and in parts, and as the unit tests have them', async () => {
    const runs = month()
    const database = databaseOf(runs)
    const prometheus = await prometheusOn(database)
    const begin = performance.now()
    const whole = await reportJson(prometheus.url)
    console.log(`a month of ${runs.length} runs: ${((performance.now() - begin) / 1000).toFixed(2)} s`)
    const sum = (some: readonly PastRun[]): number => some.reduce((all, run) => all + seenKwh(run), 0)
    expect(whole.total['energy_kwh']).toBeCloseTo(sum(runs), 4)
    expect(whole.total['runs']).toBe(runs.length)
    for (const { project_name: name, energy_kwh: kwh } of whole.projects) {
      expect(kwh, name).toBeCloseTo(sum(runs.filter(({ project }) => project === name)), 5)
    }
    const grams = runs.reduce((all, run) => all + seenKwh(run) * (run.intensity ?? 100), 0)
    expect(whole.total['emissions_kg']).toBeCloseTo(grams / 1000, 5)
    expect(whole.prometheus.doubts).toEqual([])

    // Of short runs, increase() loses the first sample and guesses what was around it; what is missing here is known to be little.
    const sent = runs.filter(({ job }) => job === 'batch')
    const [increase] = await prometheus.query(
      `sum(increase(codecarbon_component_energy_joules_total{job="batch"}[30d] @ ${until})) / ${joulesPerKilowattHour}`,
    )
    const used =
      sent.reduce((all, run) => all + powerOf(run) * (run.end - run.start), 0) / joulesPerKilowattHour
    const counted = await reportJson(prometheus.url, '--match', 'job="batch"')
    const kwh = counted.total['energy_kwh'] ?? Number.NaN
    console.log(
      `short runs used ${used.toFixed(3)} kWh: counted ${kwh.toFixed(3)}, by increase() ${Number(increase?.value[1]).toFixed(3)}`,
    )
    expect(kwh).toBeLessThan(used)
    expect(used - kwh).toBeLessThan(counted.prometheus.unseen_energy_kwh_at_most)
    expect(Math.abs(Number(increase?.value[1]) - used)).toBeGreaterThan(used - kwh)

    const small = await prometheusOn(database, ['--query.max-samples=8000'])
    expect((await reportJson(small.url)).total).toEqual(whole.total)

    const fake = await startFakePrometheus(toSeries(runs))
    expect((await reportJson(fake.url)).total).toEqual(whole.total)
  })

  it('is given over TLS to who has the password, below a prefix', async () => {
    const folder = temporaryFolder()
    const at = (name: string): string => join(folder, name)
    execFileSync(
      'openssl',
      [
        ...[
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '2',
        ],
        ...[
          '-subj',
          '/CN=prometheus',
          '-addext',
          'subjectAltName=DNS:prometheus',
          '-keyout',
          at('key.pem'),
          '-out',
          at('cert.pem'),
        ],
      ],
      { stdio: 'pipe' },
    )
    // Of the password secret.
    const { hashSync } = await import('bcryptjs')
    writeFileSync(
      at('web.yml'),
      `tls_server_config: { cert_file: cert.pem, key_file: key.pem }\nbasic_auth_users: { me: '${hashSync('secret', 4)}' }\n`,
    )
    writeFileSync(at('prometheus.yml'), '')
    const address = `127.0.0.1:${await freePort()}`
    const child = startChild(
      'prometheus',
      [
        ...[`--config.file=${at('prometheus.yml')}`, `--storage.tsdb.path=${at('data')}`],
        ...[
          `--web.config.file=${at('web.yml')}`,
          `--web.listen-address=${address}`,
          '--web.route-prefix=/prom',
        ],
      ],
      { folder, input: '' },
    )
    writeFileSync(
      at('http.yml'),
      'basic_auth: { username: me, password: secret }\ntls_config: { ca_file: cert.pem, server_name: prometheus }\n',
    )
    const ask = (...args: readonly string[]): ReturnType<typeof runCli> =>
      runCli(['report', '--from-prometheus', `https://${address}/prom`, ...args], { folder })
    let asked = await ask('--http-config-file', 'http.yml')
    await untilHolds(async () => {
      asked = await ask('--http-config-file', 'http.yml')
      return !asked.stderr.includes('cannot be reached') && !asked.stderr.includes('not able to answer')
    })
    expect(asked.stderr).toMatch(/has no metrics of codecarbon/)
    const untrusted = await ask()
    expect(untrusted.stderr).toMatch(/signed by itself.*tls_config\.ca_file of --http-config-file/)
    writeFileSync(at('wrong.yml'), readFileSync(at('http.yml'), 'utf8').replace('secret', 'wrong'))
    expect((await ask('--http-config-file', 'wrong.yml')).stderr).toMatch(
      /does not accept who asks \(HTTP 401\)/,
    )
    child.process.kill()
    await child.ended
  })
})
