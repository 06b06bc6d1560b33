import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { describe, expect, it } from 'vitest'
import { metricSpecs, metricTable, prometheusName } from '../../src/exporters/metrics.ts'
import { deployFolder } from '../fixtures/operations.ts'
import { runCli, runProgram, startCli, type Ended } from '../fixtures/programs/child.ts'
import {
  findCollector,
  freePorts,
  startCollector,
  type CollectorPorts,
} from '../fixtures/programs/collector.ts'
import { isInstalled, startPrometheus, until } from '../fixtures/programs/prometheus.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const program = findCollector()
if (program === undefined) {
  console.log(
    'Skipped: a real OpenTelemetry Collector. It needs E2E_COLLECTOR, the path of one that .ci/build-collector has built.',
  )
}

const joulesPerKilowattHour = 3.6e6

interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md */
function samplesOf(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, inside = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? []
    if (name === undefined) return []
    const labels = [...inside.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text])
    return [{ name, labels: Object.fromEntries(labels) as Sample['labels'], value: Number(value) }]
  })
}

/** The sum of the series of a metric that have these labels. */
const sumOf = (text: string, name: string, labels: Readonly<Record<string, string>> = {}): number =>
  samplesOf(text)
    .filter(
      (sample) =>
        sample.name === name &&
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    )
    .reduce((sum, { value }) => sum + value, 0)

/** Names of metrics, as Prometheus has them in its comments. */
const namesIn = (text: string): string[] =>
  [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? '')

const protocols = ['http/protobuf', 'http/json', 'grpc'] as const

const endpoint = ({ http, grpc }: CollectorPorts, protocol: string, scheme = 'http'): string =>
  `${scheme}://127.0.0.1:${protocol === 'grpc' ? grpc : http}`

const toCollector = (
  ports: CollectorPorts,
  protocol: string = 'http/protobuf',
  scheme = 'http',
): Record<string, string> => ({
  OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint(ports, protocol, scheme),
})

const options = ['--country-iso-code', 'FRA', '--force-cpu-power', '100', '--force-ram-power', '20']

/** Tracks a command of a second. */
const track = (folder: string, env: Readonly<Record<string, string>>, ...more: string[]): Promise<Ended> =>
  runCli(
    [
      ...['run', ...options, '--measure-power-secs', '0.2', '--output-methods', 'otlp', ...more],
      ...['--', process.execPath, '-e', 'setTimeout(() => undefined, 1000)'],
    ],
    { folder, env, input: '' },
  )

/** Breaks connections to a port off, until two have come. */
async function refuseTwice(port: number): Promise<void> {
  let count = 0
  const server = createServer((socket) => {
    count += 1
    socket.destroy()
  })
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve)
  })
  await until(async () => count >= 2)
  await new Promise((resolve) => server.close(resolve))
}

interface Summary {
  readonly energy_kwh: number
  readonly emissions: { readonly kg: number; readonly low: number; readonly high: number }
}

const summaryIn = (file: string): Summary => JSON.parse(readFileSync(file, 'utf8')) as Summary

describe.runIf(program !== undefined)('a real OpenTelemetry Collector', () => {
  it.each(protocols)('shows what a run has sent by %s, zipped, as its summary has it', async (protocol) => {
    const folder = temporaryFolder()
    const ports = await freePorts()
    const collector = await startCollector(folder, ports)
    const file = join(folder, 'summary.json')
    const env = { ...toCollector(ports, protocol), OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' }
    const { code, stderr } = await track(folder, env, '--summary-file', file, '--project-name', 'e2e')
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('collector')])
    const text = await collector.scrape()
    const { energy_kwh: energy, emissions } = summaryIn(file)
    expect(energy).toBeGreaterThan(0)
    const joules = sumOf(text, 'codecarbon_component_energy_joules_total')
    expect(joules / (energy * joulesPerKilowattHour)).toBeCloseTo(1, 9)
    const grams = sumOf(text, 'codecarbon_emissions_grams_total', { basis: 'location' })
    expect(grams / (emissions.kg * 1000)).toBeCloseTo(1, 9)
    const high = sumOf(text, 'codecarbon_emissions_bound_grams_total', { bound: 'high' })
    expect(high / (emissions.high * 1000)).toBeCloseTo(1, 9)
    expect(samplesOf(text).find(({ name }) => name === 'target_info')?.labels).toMatchObject({
      job: 'e2e',
      process_runtime_name: 'nodejs',
    })
  })

  it('names what a program tells as the table does, with its type and help', async () => {
    const folder = temporaryFolder()
    const ports = await freePorts()
    const collector = await startCollector(folder, ports)
    const { code, stdout, stderr } = await runProgram('sends-metrics.js', [], {
      folder,
      env: toCollector(ports),
    })
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('collector')])
    const text = await collector.scrape()
    const ours = namesIn(text).filter((name) => name !== 'target_info')
    const expected = new Map(metricSpecs.map(([key, spec]) => [prometheusName(spec), key] as const))
    expect(ours.filter((name) => !expected.has(name))).toEqual([])
    expect(ours.length).toBeGreaterThan(20)
    for (const [name, key] of expected) {
      if (!ours.includes(name)) continue
      const { instrument, help } = metricTable[key]
      expect(text).toContain(`# TYPE ${name} ${instrument}\n`)
      expect(text).toContain(`# HELP ${name} ${help}\n`)
    }
    const { emissions } = JSON.parse(stdout) as { emissions: number }
    const grams = sumOf(text, 'codecarbon_emissions_grams_total', { basis: 'location' })
    expect(grams / (emissions * 1000)).toBeCloseTo(1, 9)
    expect(sumOf(text, 'codecarbon_task_duration_seconds_count', { task: 'answer' })).toBe(1)
  })

  it('makes the names of the table of all of its metrics, also of those that nothing here tells', async () => {
    const ports = await freePorts()
    const collector = await startCollector(temporaryFolder(), ports)
    const exporter = new OTLPMetricExporter({ url: `${endpoint(ports, 'http/json')}/v1/metrics` })
    const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] })
    const meter = provider.getMeter('codecarbon')
    for (const [, { name, unit, instrument }] of metricSpecs) {
      if (instrument === 'histogram') meter.createHistogram(name, { unit }).record(1)
      else if (instrument === 'counter') meter.createCounter(name, { unit }).add(1)
      else meter.createGauge(name, { unit }).record(1)
    }
    await provider.shutdown()
    const names = namesIn(await collector.scrape()).filter((name) => name !== 'target_info')
    expect(names.toSorted()).toEqual(metricSpecs.map(([, spec]) => prometheusName(spec)).toSorted())
  })

  it.runIf(isInstalled('prometheus'))('hands the figures of a monitor on to a real Prometheus', async () => {
    const folder = temporaryFolder()
    const ports = await freePorts()
    await startCollector(folder, ports)
    startCli(['monitor', ...options, '--output-methods', 'otlp', '--project-name', 'host'], {
      folder,
      env: { ...toCollector(ports, 'grpc'), OTEL_METRIC_EXPORT_INTERVAL: '500' },
      input: '',
    })
    const prometheus = await startPrometheus(folder, { collector: [`127.0.0.1:${ports.prometheus}`] })
    await prometheus.has('codecarbon_emissions_grams_total')
    await prometheus.has('codecarbon_component_power_watts{exported_job="host"}')
    expect(await prometheus.number('max(codecarbon_component_power_watts{component="ram"})')).toBeCloseTo(
      20,
      9,
    )
  })

  it('that was gone for a while has everything when it is back', async () => {
    const folder = temporaryFolder()
    const ports = await freePorts()
    const first = await startCollector(folder, ports)
    const file = join(folder, 'summary.json')
    const monitor = startCli(
      [
        ...['monitor', ...options, '--measure-power-secs', '0.5', '--output-methods', 'otlp'],
        ...['--summary-file', file, '--log-format', 'text'],
      ],
      { folder, env: { ...toCollector(ports), OTEL_METRIC_EXPORT_INTERVAL: '300' }, input: '' },
    )
    const energy = (text: string): number => sumOf(text, 'codecarbon_component_energy_joules_total')
    let before = 0
    await until(async () => (before = energy(await first.scrape())) > 50)
    await first.stop()
    await refuseTwice(ports.http)
    const second = await startCollector(folder, ports)
    await until(async () => energy(await second.scrape()) > before + 50)
    monitor.process.kill('SIGTERM')
    const { code } = await monitor.ended
    expect(code).toBe(0)
    const total = summaryIn(file).energy_kwh * joulesPerKilowattHour
    expect(energy(await second.scrape()) / total).toBeCloseTo(1, 9)
  })

  it.each(protocols)(
    'with a token takes metrics by %s of those who have it, and is told of by others',
    async (protocol) => {
      const folder = temporaryFolder()
      const ports = await freePorts()
      const collector = await startCollector(folder, ports, {
        receiver: { auth: { authenticator: 'bearertokenauth' } },
        extensions: { bearertokenauth: { token: 'secret' } },
      })
      const env = toCollector(ports, protocol)
      const refused = await track(folder, env)
      expect(refused.stderr).toMatch(
        /the collector did not take the metrics \(.*(?:Unauthorized 401|UNAUTHENTICATED)/,
      )
      expect(refused.code).toBe(0)
      const taken = await track(folder, {
        ...env,
        OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20secret',
      })
      expect(taken.stderr).not.toContain('collector')
      expect(await collector.scrape()).toContain('codecarbon_emissions_grams_total{')
    },
  )

  it.runIf(spawnSync('openssl', ['version']).status === 0).each(protocols)(
    'with TLS takes metrics by %s of those who know its certificate, and is told of by those who do not, or speak without',
    async (protocol) => {
      const folder = temporaryFolder()
      const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
      execFileSync(
        'openssl',
        [
          ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
          ...[
            '-subj',
            '/CN=localhost',
            '-addext',
            'subjectAltName=IP:127.0.0.1',
            '-keyout',
            key,
            '-out',
            cert,
          ],
        ],
        { stdio: 'pipe' },
      )
      const ports = await freePorts()
      const collector = await startCollector(folder, ports, {
        receiver: { tls: { cert_file: cert, key_file: key } },
      })
      const why = async (env: Readonly<Record<string, string>>): Promise<string | undefined> => {
        const { code, stderr } = await track(folder, env)
        expect(code).toBe(0)
        return /the collector did not take the metrics \(([^)]*)\)/.exec(stderr)?.[1]
      }
      expect(await why(toCollector(ports, protocol))).toBeDefined()
      expect(await why(toCollector(ports, protocol, 'https'))).toMatch(/self.signed certificate|UNAVAILABLE/)
      expect(await collector.scrape()).not.toContain('codecarbon_')
      const known = { ...toCollector(ports, protocol, 'https'), OTEL_EXPORTER_OTLP_CERTIFICATE: cert }
      expect(await why(known)).toBeUndefined()
      expect(await collector.scrape()).toContain('codecarbon_emissions_grams_total{')
    },
  )

  it('takes the configuration for operators', () => {
    const config = join(deployFolder, 'opentelemetry/collector.yml')
    const { status, stderr } = spawnSync(program ?? '', ['validate', '--config', config], {
      encoding: 'utf8',
    })
    expect([status, stderr]).toEqual([0, ''])
  })
})
