import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { metrics as api } from '@opentelemetry/api'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { loadGrpcPackages } from '../../../src/exporters/otel/otlp-grpc.ts'
import { readOtlpVariables } from '../../../src/exporters/otel/otlp-variables.ts'
import { loadNeeded } from '../../../src/exporters/otel/needed-package.ts'
import { EmissionsTracker, type TrackerOptions } from '../../../src/index.ts'
import { droppingPort, hasPython, silentPort } from '../../fixtures/bad-network.ts'
import { runProgram, startProgram } from '../../fixtures/programs/child.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'
import { fakeMachine } from '../../tracker/fake-machine.ts'
import { setVariables, startCollector, type Received } from './collector.ts'
import { metricNames } from './otlp-bytes.ts'

/** A run of some joules that sends them by OTLP, from its start to its end. */
async function run(joules: number, options: TrackerOptions = {}): Promise<EmissionsTracker> {
  const { machine, tracker } = begin(options)
  machine.use(joules)
  tracker.startTask('epoch').stop()
  await tracker.stop()
  return tracker
}

function begin(options: TrackerOptions = {}): {
  machine: ReturnType<typeof fakeMachine>
  tracker: EmissionsTracker
  messages: string[]
} {
  const machine = fakeMachine()
  const messages: string[] = []
  const say = (message: string): void => void messages.push(message)
  const tracker = new EmissionsTracker({
    ...machine.options,
    logLevel: 'info',
    logger: { debug: say, info: say, warn: say, error: say },
    outputMethods: ['otlp'],
    ...options,
  }).start()
  return { machine, tracker, messages }
}

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue?: string; readonly intValue?: number }
}

interface JsonMetric {
  readonly name: string
  readonly sum?: { readonly aggregationTemporality: number; readonly dataPoints: readonly JsonPoint[] }
  readonly gauge?: { readonly dataPoints: readonly JsonPoint[] }
  readonly histogram?: { readonly dataPoints: readonly (Times & { readonly count: number })[] }
}

interface Times {
  readonly startTimeUnixNano: string
  readonly timeUnixNano: string
}

interface JsonPoint extends Times {
  readonly attributes: readonly Attribute[]
  readonly asDouble?: number
  readonly asInt?: number
}

const inJson = ({
  body,
}: Received): { resource: Record<string, unknown>; metrics: Map<string, JsonMetric> } => {
  const [{ resource, scopeMetrics }] = (
    JSON.parse(body.toString()) as {
      resourceMetrics: [{ resource: { attributes: Attribute[] }; scopeMetrics: { metrics: JsonMetric[] }[] }]
    }
  ).resourceMetrics
  return {
    resource: Object.fromEntries(
      resource.attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]),
    ),
    metrics: new Map(scopeMetrics.flatMap(({ metrics }) => metrics).map((metric) => [metric.name, metric])),
  }
}

/** Joules of the package in a request of JSON. */
function cpuEnergy(request: Received | undefined): number | undefined {
  const points = request === undefined ? [] : inJson(request).metrics.get('hw.energy')?.sum?.dataPoints
  const point = points?.find(({ attributes }) => attributes.some(({ value }) => value.stringValue === 'cpu'))
  return point?.asDouble ?? point?.asInt
}

/** Start and end of what a metric counts, in milliseconds since 1970. */
function timesOf(request: Received | undefined, name: string): [number, number] {
  const metric = request === undefined ? undefined : inJson(request).metrics.get(name)
  const [point] = metric?.sum?.dataPoints ?? metric?.histogram?.dataPoints ?? []
  if (point === undefined) expect.fail(`${name} is not told`)
  return [Number(point.startTimeUnixNano) / 1e6, Number(point.timeUnixNano) / 1e6]
}

describe('metrics by OTLP', () => {
  it('are sent as http/protobuf to where the variables say, with their headers', async () => {
    const { received } = await startCollector()
    setVariables({ OTEL_EXPORTER_OTLP_HEADERS: 'api-key=secret' })
    await run(36)
    expect(received).toHaveLength(1)
    const [{ path, headers, body }] = received as [Received]
    expect([path, headers['content-type'], headers['api-key']]).toEqual([
      '/v1/metrics',
      'application/x-protobuf',
      'secret',
    ])
    expect(metricNames(body)).toEqual(
      expect.arrayContaining(['hw.energy', 'codecarbon.emissions', 'codecarbon.task.energy']),
    )
  })

  it('are sent as JSON, zipped, with the whole run at its end', async () => {
    const { received } = await startCollector()
    setVariables({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' })
    const tracker = await run(36, { projectName: 'train' })
    const [request] = received as [Received]
    expect([request.headers['content-type'], request.headers['content-encoding']]).toEqual([
      'application/json',
      'gzip',
    ])
    expect(cpuEnergy(request)).toBe(36)
    const { resource, metrics } = inJson(request)
    expect(metrics.get('codecarbon.task.duration')?.histogram?.dataPoints[0]?.count).toBe(1)
    expect(resource).toMatchObject({
      'service.name': 'train',
      'service.instance.id': tracker.finalEmissionsData?.runId,
      'process.pid': process.pid,
      'process.runtime.name': 'nodejs',
      'telemetry.sdk.name': 'opentelemetry',
    })
    expect(resource['host.name']).toMatch(/./)
  })

  it('are sent by gRPC', async () => {
    const { received, url } = await startGrpcCollector()
    setVariables({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_ENDPOINT: url })
    await run(36)
    expect(received).toHaveLength(1)
    expect(metricNames(received[0] ?? Buffer.of())).toContain('hw.energy')
  })

  it('are of the service and with the attributes that the variables name', async () => {
    const { received } = await startCollector()
    setVariables({
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_SERVICE_NAME: 'payments',
      OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=one,deployment.environment.name=test',
    })
    await run(36)
    expect(inJson(received[0] as Received).resource).toMatchObject({
      'service.name': 'payments',
      'service.instance.id': 'one',
      'deployment.environment.name': 'test',
    })
  })

  it('are sent as often as the variables say, and as totals, unless differences are asked for', async () => {
    const { received } = await startCollector()
    setVariables({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_METRIC_EXPORT_INTERVAL: '20' })
    const { tracker, machine } = begin()
    await vi.waitFor(() => {
      expect(received.length).toBeGreaterThan(2)
    })
    machine.use(5)
    await tracker.stop()
    const last = received.at(-1) as Received
    expect(cpuEnergy(last)).toBe(5)
    expect(inJson(last).metrics.get('hw.energy')?.sum?.aggregationTemporality).toBe(2)
    setVariables({ OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta' })
    await run(7)
    expect(inJson(received.at(-1) as Received).metrics.get('hw.energy')?.sum?.aggregationTemporality).toBe(1)
  })

  it('wait no longer than a timer can, which would take more for 1 ms', () => {
    const { intervalMs, exportTimeoutMs } = readOtlpVariables({
      OTEL_METRIC_EXPORT_INTERVAL: '3000000000',
      OTEL_METRIC_EXPORT_TIMEOUT: '3000000000',
    })
    expect([intervalMs, exportTimeoutMs]).toEqual([2 ** 31 - 1, 2 ** 31 - 1])
  })

  it('have no power of what is not told any more', async () => {
    const { received } = await startCollector()
    setVariables({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_METRIC_EXPORT_INTERVAL: '50' })
    const { tracker, machine } = begin({ measurePowerSecs: 0.05 })
    const powers = (): string[] =>
      [...(inJson(received.at(-1) as Received).metrics.get('hw.power')?.gauge?.dataPoints ?? [])].map(
        ({ attributes }) => JSON.stringify(attributes),
      )
    await vi.waitFor(() => {
      machine.use(1)
      expect(powers()).toHaveLength(2)
    }, 5000)
    machine.breakCounter('nonsense')
    await vi.waitFor(() => {
      expect(powers()).toHaveLength(1)
    }, 5000)
    expect(powers()[0]).toContain('dram-0')
    expect(cpuEnergy(received.at(-1))).toBeGreaterThan(0)
    await tracker.stop()
  })

  it('count from the begin of the run, also in the only points of a short one', async () => {
    const { received } = await startCollector()
    setVariables({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' })
    const before = Date.now()
    const { tracker, machine } = begin()
    const begun = Date.now()
    machine.use(5)
    tracker.startTask('epoch').stop()
    await tracker.flush()
    await tracker.stop()
    expect(received).toHaveLength(2)
    const [start] = timesOf(received[0], 'hw.energy')
    // Nanoseconds since 1970 have more digits than a number holds.
    expect(Math.floor(start)).toBeGreaterThanOrEqual(before)
    expect(Math.floor(start)).toBeLessThanOrEqual(begun)
    for (const request of received) {
      for (const [name, { sum, histogram }] of inJson(request).metrics) {
        if (sum === undefined && histogram === undefined) continue
        const [since, until] = timesOf(request, name)
        expect([name, since]).toEqual([name, start])
        expect(until).toBeGreaterThan(since)
      }
    }
  })

  it('count from the last export where they are differences, and the first ones from the begin', async () => {
    const { received } = await startCollector()
    setVariables({
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
    })
    const { tracker, machine } = begin()
    const begun = Date.now()
    machine.use(5)
    await tracker.flush()
    tracker.startTask('epoch').stop()
    machine.use(7)
    await tracker.stop()
    expect(received.map(cpuEnergy)).toEqual([5, 7])
    const [[start, middle], last] = received.map((request) => timesOf(request, 'hw.energy')) as [
      [number, number],
      [number, number],
    ]
    expect(Math.floor(start)).toBeLessThanOrEqual(begun)
    expect(last[0]).toBe(middle)
    expect(timesOf(received[1], 'codecarbon.task.duration')).toEqual(last)
  })

  it('of the machine count from when the run takes over to tell of it', async () => {
    const { received } = await startCollector()
    setVariables({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' })
    const { tracker: first, machine } = begin({ outputMethods: ['prometheus_pull'], prometheusPort: 0 })
    const second = new EmissionsTracker({ ...machine.options, outputMethods: ['otlp'] }).start()
    machine.use(50)
    await second.flush()
    expect(cpuEnergy(received.at(-1))).toBeUndefined()
    const before = Date.now()
    await first.stop()
    await vi.waitFor(async () => {
      await second.flush()
      expect(cpuEnergy(received.at(-1))).toBe(0)
      expect([...inJson(received.at(-1) as Received).metrics.keys()]).toContain('codecarbon.component.energy')
    }, 10_000)
    machine.use(7)
    await second.stop()
    expect(cpuEnergy(received.at(-1))).toBe(7)
    for (const name of ['hw.energy', 'codecarbon.component.energy', 'codecarbon.unattributed.energy']) {
      expect(timesOf(received.at(-1), name)[0]).toBeGreaterThanOrEqual(before)
    }
    expect(timesOf(received.at(-1), 'codecarbon.self.cpu')[0]).toBeLessThan(before)
  })

  it('leave the global provider alone', async () => {
    const before = api.getMeterProvider()
    await startCollector()
    await run(36)
    expect(api.getMeterProvider()).toBe(before)
  })

  it('are sent at a flush, and another time at the end', async () => {
    const { received } = await startCollector()
    setVariables({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' })
    const { tracker } = begin()
    await tracker.flush()
    expect(received).toHaveLength(1)
    await tracker.stop()
    expect(received).toHaveLength(2)
  })

  it('are not sent where OTEL_SDK_DISABLED is true, nor offline, which says so', async () => {
    const { received } = await startCollector()
    const { tracker, messages } = begin({ offline: true })
    await tracker.stop()
    expect(messages.join('\n')).toContain('output otlp: offline makes no connection, so nothing is sent')
    setVariables({ OTEL_SDK_DISABLED: 'TRUE' })
    const disabled = await run(36)
    expect(disabled.finalEmissionsData?.problems).toEqual([])
    expect(received).toEqual([])
  })
})

describe('a collector', () => {
  it('that is down disturbs nothing, is told of once, and is given everything when it is back', async () => {
    const { port } = await deadCollector()
    setVariables({
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_METRIC_EXPORT_INTERVAL: '20',
      OTEL_EXPORTER_OTLP_TIMEOUT: '200',
    })
    const { tracker, machine, messages } = begin()
    machine.use(30)
    await tracker.flush()
    await tracker.flush()
    const told = messages.filter((message) => message.includes('otlp'))
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(
      /the collector did not take the metrics \(.*ECONNREFUSED.*OTEL_EXPORTER_OTLP_ENDPOINT/,
    )
    const { received } = await startCollector(undefined, port)
    machine.use(6)
    await tracker.stop()
    expect(cpuEnergy(received.at(-1))).toBe(36)
    expect(tracker.finalEmissionsData?.cpuEnergy).toBeCloseTo(36 / 3.6e6, 12)
  })

  it('that is down keeps no program from ending, and is told of', async () => {
    const { port } = await deadCollector()
    const { code, stdout, stderr } = await runProgram('endings.js', ['after a while'], {
      folder: temporaryFolder(),
      env: { CODECARBON_OTLP: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` },
    })
    expect([code, stdout]).toEqual([0, ''])
    expect(stderr.match(/output otlp: the collector did not take the metrics/g)).toHaveLength(1)
    expect(stderr).not.toContain('the process ends before stop()')
  })

  it.each(['http/protobuf', 'grpc'])(
    'that is not there is not waited for at the end, by %s',
    async (protocol) => {
      await deadCollector()
      setVariables({ OTEL_EXPORTER_OTLP_PROTOCOL: protocol })
      const { tracker, messages } = begin()
      await tracker.flush()
      const begun = performance.now()
      await tracker.stop()
      expect(performance.now() - begun).toBeLessThan(700)
      expect(messages.join('\n')).toMatch(/did not take the metrics \(.*ECONNREFUSED/)
    },
  )

  it.each(['50', '60000'])(
    'that never answers holds the natural end of a program up no longer than that of a run, with an interval of %s ms',
    async (interval) => {
      const connected = vi.fn<() => void>()
      const port = await silentPort(connected)
      const child = startProgram('endings.js', ['when its input ends'], {
        folder: temporaryFolder(),
        env: {
          CODECARBON_OTLP: 'true',
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
          OTEL_METRIC_EXPORT_INTERVAL: interval,
          OTEL_EXPORTER_OTLP_TIMEOUT: '30000',
        },
      })
      if (interval === '50')
        await vi.waitFor(() => {
          expect(connected).toHaveBeenCalled()
        }, 10_000)
      const begun = performance.now()
      child.process.stdin.end()
      const { code, stdout, stderr } = await child.ended
      expect([code, stdout]).toEqual([0, ''])
      expect(performance.now() - begun).toBeLessThan(8000)
      expect(stderr).toMatch(
        /output otlp: the collector did not take the metrics \(no answer within 4\.5 s\)/,
      )
    },
    20_000,
  )

  it.runIf(hasPython()).each(['http/protobuf', 'grpc'])(
    'that a firewall hides is given up as soon as the variables say, by %s',
    async (protocol) => {
      const port = await droppingPort()
      setVariables({
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
        OTEL_EXPORTER_OTLP_TIMEOUT: '300',
      })
      const { tracker, messages } = begin()
      const begun = performance.now()
      await tracker.stop()
      expect(performance.now() - begun).toBeLessThan(4000)
      expect(messages.join('\n')).toMatch(
        /did not take the metrics \((?:no connection within 0\.3 s|.*DEADLINE_EXCEEDED)/,
      )
    },
  )

  it('that refuses is told of with its reason', async () => {
    await startCollector((response) => {
      response.writeHead(401).end()
    })
    const { tracker, messages } = begin()
    await tracker.stop()
    expect(messages.join('\n')).toContain('the collector did not take the metrics (Unauthorized 401)')
  })

  it('that never answers holds the end up no longer than the variables say', async () => {
    await startCollector(() => undefined)
    setVariables({ OTEL_EXPORTER_OTLP_TIMEOUT: '200' })
    const { tracker, messages } = begin()
    const begun = performance.now()
    await tracker.stop()
    expect(performance.now() - begun).toBeLessThan(2000)
    expect(messages.join('\n')).toContain('the collector did not take the metrics (Request timed out)')
  })
})

describe('a program that ends without stop()', () => {
  async function end(way: string): Promise<{ received: readonly Received[]; stderr: string; rows: string }> {
    const { received, url } = await startCollector()
    const folder = temporaryFolder()
    const { stderr } = await runProgram('endings.js', [way], {
      folder,
      env: {
        CODECARBON_OTLP: 'true',
        CODECARBON_OUTPUT_DIR: folder,
        CODECARBON_FORCE_CPU_POWER: '10',
        CODECARBON_LOG_LEVEL: 'warning',
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      },
    })
    return { received, stderr, rows: readFileSync(join(folder, 'emissions.csv'), 'utf8') }
  }

  it.each(['by itself', 'after a while'])(
    'has sent what it used where it ends %s, and leaves one row',
    async (way) => {
      const { received, stderr, rows } = await end(way)
      expect(received).toHaveLength(1)
      const points = inJson(received[0] as Received).metrics.get('codecarbon.component.energy')?.sum
        ?.dataPoints
      expect(points?.[0]?.asDouble).toBeGreaterThan(0)
      expect(rows.trimEnd().split('\n')).toHaveLength(2)
      expect(stderr).not.toContain('otlp')
    },
  )

  it.each(['exit', 'uncaught error'])('cannot send any more at its %s, and says so', async (way) => {
    const { received, stderr, rows } = await end(way)
    expect(received).toEqual([])
    expect(rows.trimEnd().split('\n')).toHaveLength(2)
    expect(stderr.match(/output otlp: the process ends before stop\(\)/g)).toHaveLength(1)
  })

  it('and that found more to do before sends at its end another time', async () => {
    const { received } = await end('by itself, but later')
    expect(received).toHaveLength(2)
    const [first, last] = received.map(
      (request) =>
        inJson(request).metrics.get('codecarbon.component.energy')?.sum?.dataPoints[0]?.asDouble ?? NaN,
    ) as [number, number]
    expect(last).toBeGreaterThan(first)
  })
})

describe('what is missing', () => {
  it('is a protocol that is none: it is named, with those there are', async () => {
    await startCollector()
    setVariables({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/xml' })
    const { tracker, messages } = begin()
    await tracker.stop()
    expect(messages.join('\n')).toContain(
      'output otlp: OTEL_EXPORTER_OTLP_PROTOCOL: expected one of http/protobuf, http/json, grpc, but it is "http/xml"',
    )
  })

  it.each([
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' },
      'OTEL_EXPORTER_OTLP_ENDPOINT: expected a URL such as http://localhost:4318, but it is "collector:4318"',
    ],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'admin:s3c@r/et@collector:4318?key=s3cret' },
      'OTEL_EXPORTER_OTLP_ENDPOINT: expected a URL such as http://localhost:4318, but it is "***@collector:4318?***"',
    ],
    [
      { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://' },
      'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: expected a URL such as http://localhost:4318, but it is "http://"',
    ],
    [
      { OTEL_EXPORTER_OTLP_COMPRESSION: 'zstd' },
      'OTEL_EXPORTER_OTLP_COMPRESSION: expected one of gzip, none, but it is "zstd"',
    ],
    [
      { OTEL_EXPORTER_OTLP_CERTIFICATE: 'not-there.pem' },
      'OTEL_EXPORTER_OTLP_CERTIFICATE: expected the path of a file in PEM format, but it is not read: ENOENT',
    ],
  ])(
    'is what a variable is to say: %j is told of, and nothing is sent elsewhere',
    async (variables, expected) => {
      const { received } = await startCollector()
      setVariables(variables)
      const { tracker, messages } = begin()
      await tracker.stop()
      expect(messages.join('\n')).toContain(`output otlp: ${expected}`)
      expect(received).toEqual([])
    },
  )

  it('is the package of a protocol: it is said how to install it', () => {
    const require = createRequire(join(temporaryFolder(), 'none.js'))
    expect(() => loadGrpcPackages(require)).toThrow(
      /exporter-metrics-otlp-grpc'; run: npm install @opentelemetry\/exporter-metrics-otlp-grpc@0\.\d+$/,
    )
  })

  it('is a package: it is said how to install it', async () => {
    const name: string = '@opentelemetry/not-there'
    await expect(loadNeeded(async () => import(name), ['one@2', 'other'])).rejects.toThrow(
      /not-there'?; run: npm install one@2 other$/,
    )
  })
})

/** The address of a collector that is not there. */
async function deadCollector(): Promise<{ port: number }> {
  const { createServer } = await import('node:net')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  setVariables({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` })
  return { port }
}

async function startGrpcCollector(): Promise<{ url: string; received: Buffer[] }> {
  const received: Buffer[] = []
  const server = new Server()
  const asTheyAre = (bytes: Buffer): Buffer => bytes
  server.addService(
    {
      Export: {
        path: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
        requestStream: false,
        responseStream: false,
        requestSerialize: asTheyAre,
        requestDeserialize: asTheyAre,
        responseSerialize: asTheyAre,
        responseDeserialize: asTheyAre,
      },
    },
    {
      Export(call: { request: Buffer }, answer: (error: null, response: Buffer) => void) {
        received.push(call.request)
        answer(null, Buffer.of())
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, taken) => {
      if (error === null) resolve(taken)
      else reject(error)
    })
  })
  onTestFinished(() => {
    server.forceShutdown()
  })
  return { url: `http://127.0.0.1:${port}`, received }
}
