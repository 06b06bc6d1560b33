// Run by scripts/otel-versions.js in a project that has the packed package and a line of OpenTelemetry's SDK installed.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { metrics } from '@opentelemetry/api'
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { EmissionsTracker } from 'codecarbon'
import { collectorNames, createOtelExporter } from 'codecarbon/otel'

/**
 * A run with a task. Returns its emissions in grams.
 * @param {import('codecarbon').TrackerOptions} options
 */
async function run(options) {
  const tracker = new EmissionsTracker({
    ...{
      countryIsoCode: 'FRA',
      forceRamPower: 20,
      measurePowerSecs: 0.1,
      logLevel: 'error',
      outputMethods: [],
      // Whoever else tracks this machine is of no matter here.
      hostReporterGroup: `otel-${process.pid}`,
    },
    ...options,
  }).start()
  await tracker.task('answer', () => new Promise((resolve) => setTimeout(resolve, 300)))
  await tracker.stop()
  return (tracker.finalEmissionsData?.emissions ?? NaN) * 1000
}

/** @param {Partial<import('@opentelemetry/sdk-metrics').MeterProviderOptions>} [options] */
function inMemory(options) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 })
  const meterProvider = new MeterProvider({ ...options, readers: [reader] })
  const last = () => {
    const collected = exporter.getMetrics().at(-1)
    assert.ok(collected, 'something was collected')
    return collected
  }
  return { meterProvider, last }
}

// The SDK of a program, as the global provider.
const { meterProvider: ofProgram, last } = inMemory()
metrics.setGlobalMeterProvider(ofProgram)
const grams = await run({ exporters: [createOtelExporter()] })
/** @param {string} name */
const pointsOf = (name) =>
  last()
    .scopeMetrics.flatMap((scope) => scope.metrics)
    .find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? []
const sum = pointsOf('codecarbon.emissions').reduce((total, { value }) => total + Number(value), 0)
assert.ok(Math.abs(sum / grams - 1) < 1e-9, 'the emissions are those of the run')
const tasks = pointsOf('codecarbon.task.duration').map(({ value }) => value)
assert.ok(tasks.length === 1 && typeof tasks[0] === 'object' && 'buckets' in tasks[0])
assert.equal(tasks[0].count, 1)
assert.ok(tasks[0].buckets.boundaries.includes(0.05), 'the buckets are those of the table')
await ofProgram.forceFlush()
assert.deepEqual(pointsOf('codecarbon.run.info'), [], 'an ended run has no facts any more')
assert.equal(pointsOf('codecarbon.emissions').length > 0, true, 'and its counters stay')

// Views.
const { meterProvider, last: renamed } = inMemory({ views: collectorNames() })
await run({ exporters: [createOtelExporter({ meterProvider })] })
assert.match(new PrometheusSerializer().serialize(renamed()), /^codecarbon_emissions_grams_total\{/m)

// OTLP, whose packages are this one's own.
/** @type {{ type: string | undefined, body: Buffer }[]} */
const received = []
const server = createServer(async (request, response) => {
  received.push({ type: request.headers['content-type'], body: Buffer.concat(await request.toArray()) })
  response.end()
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
const address = server.address()
assert.ok(typeof address === 'object' && address !== null)
process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${address.port}`
for (const protocol of ['http/protobuf', 'http/json']) {
  process.env.OTEL_EXPORTER_OTLP_PROTOCOL = protocol
  await run({ outputMethods: ['otlp'] })
}
assert.deepEqual(
  received.map(({ type }) => type),
  ['application/x-protobuf', 'application/json'],
)
for (const { body } of received) assert.ok(body.includes('codecarbon.emissions'))
server.close()
server.closeAllConnections()

// By gRPC there is nobody: the program's package is loaded, and what it says is told.
process.env.OTEL_EXPORTER_OTLP_PROTOCOL = 'grpc'
/** @type {string[]} */
const said = []
/** @param {string} message */
const say = (message) => void said.push(message)
await run({
  outputMethods: ['otlp'],
  logLevel: 'warning',
  logger: { debug: say, info: say, warn: say, error: say },
})
assert.match(said.join('\n'), /did not take the metrics \(.*ECONNREFUSED/)

console.log(
  `ok with OpenTelemetry ${String(last().resource.attributes['telemetry.sdk.version'])} on ${process.version}`,
)
