// A program with an SDK of OpenTelemetry, whose reader is told energy by component and by kind of job.
//
//   npm install @opentelemetry/api @opentelemetry/sdk-metrics
//   node examples/metrics/otel.mjs
import { createHash } from 'node:crypto'
import { metrics } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { EmissionsTracker, withCarbon } from 'codecarbon'
import { createOtelExporter } from 'codecarbon/otel'

// In a program of yours it is that of OTLP, which sends to a collector.
const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 })
const provider = new MeterProvider({ readers: [reader] })
metrics.setGlobalMeterProvider(provider)

const tracker = new EmissionsTracker({
  projectName: 'otel',
  logLevel: 'warning',
  outputMethods: [],
  measurePowerSecs: 1,
  exporters: [createOtelExporter()],
}).start()
const hash = withCarbon(
  'hash',
  (/** @type {number} */ rounds) => {
    let text = ''
    for (let round = 0; round < rounds; round += 1) text = createHash('sha512').update(text).digest('hex')
    return text
  },
  { tracker },
)
for (let round = 0; round < 3; round += 1) hash(200_000)
await tracker.flush()
await provider.forceFlush()

const told =
  exporter
    .getMetrics()
    .at(-1)
    ?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? []
const wanted = new Set(['hw.energy', 'codecarbon.task.energy'])
for (const { descriptor, dataPoints } of told.filter(({ descriptor }) => wanted.has(descriptor.name)))
  for (const { attributes, value } of dataPoints) {
    // Of tasks it is a histogram.
    const energy =
      typeof value === 'number' ? `${value.toFixed(2)} J` : `${value.sum?.toFixed(2)} J in ${value.count}`
    console.log(`${descriptor.name.padEnd(22)} ${energy.padEnd(14)} ${Object.values(attributes).join()}`)
  }

await tracker.stop()
await provider.shutdown()
