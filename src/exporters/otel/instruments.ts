import type { RunView } from '../../core/exporter.ts'
import { metricSpecs, metricTable, type MetricKey, type MetricSpec } from '../metrics.ts'
import { observe, type Observation } from '../observations.ts'
import type { TaskPoint } from '../task-points.ts'
import { forgetSeries } from './forget-series.ts'
import type {
  Attributes,
  Histogram,
  InstrumentOptions,
  Meter,
  MeterProvider,
  ObserveAll,
} from './meter-provider.ts'

/** The metrics of the table as instruments of one meter. */
export interface Instruments {
  /** Adds an ended task to the histograms. */
  add(point: TaskPoint): void
  /**
   * Tells of a run until what it returns is called: then the run has no gauges any more, and its counters stay where they are. Those of the next run go on
   * from there, since the series of a meter are those of the program and not of one run.
   */
  follow(look: () => RunView): () => void
}

const made = new WeakMap<MeterProvider, Map<string, Instruments>>()

/** The instruments of a meter. They are made once: OpenTelemetry has no way to take one away. */
export function instrumentsOf(provider: MeterProvider, meterName: string, version: string): Instruments {
  const ofProvider = made.get(provider) ?? new Map<string, Instruments>()
  made.set(provider, ofProvider)
  const instruments = ofProvider.get(meterName) ?? createInstruments(provider.getMeter(meterName, version))
  ofProvider.set(meterName, instruments)
  return instruments
}

/**
 * Makes an instrument of each metric. One callback tells all of them, so that the points of a collection are of one moment; it reads no
 * hardware, it looks at the runs.
 */
function createInstruments(meter: Meter): Instruments {
  const counters = new Map<MetricKey, object>()
  const gauges = new Map<MetricKey, object>()
  const histograms = new Map<MetricKey, Histogram>()
  for (const [key, spec] of metricSpecs) {
    const options = optionsOf(spec)
    if (spec.instrument === 'histogram') histograms.set(key, meter.createHistogram(spec.name, options))
    else if (spec.instrument === 'counter') {
      counters.set(key, meter.createObservableCounter(spec.name, options))
    } else gauges.set(key, meter.createObservableGauge(spec.name, options))
  }
  const runs = new Set<() => RunView>()
  /** Where the counters of ended runs stand. */
  const ended = new Map<string, Observation>()

  /** The points of a run; counters with what runs before it have left there. */
  const pointsOf = (look: () => RunView): (readonly [string, Observation])[] =>
    observe(look()).map((point) => {
      const key = seriesOf(point)
      const before = isCounter(point) ? (ended.get(key)?.value ?? 0) : 0
      return [key, { ...point, value: point.value + before }]
    })
  const observeAll: ObserveAll = (result) => {
    for (const gauge of gauges.values()) forgetSeries(gauge)
    const points = new Map([...ended, ...[...runs].flatMap(pointsOf)])
    for (const { metric, value, attributes } of points.values()) {
      const instrument = counters.get(metric) ?? gauges.get(metric)
      if (instrument !== undefined) result.observe(instrument as never, value, known(attributes))
    }
  }
  meter.addBatchObservableCallback(observeAll, [...counters.values(), ...gauges.values()] as never[])
  return {
    add({ observations }) {
      for (const { metric, value, attributes } of observations) {
        histograms.get(metric)?.record(value, known(attributes))
      }
    },
    follow(look) {
      runs.add(look)
      return () => {
        if (!runs.delete(look)) return
        for (const [key, point] of pointsOf(look)) if (isCounter(point)) ended.set(key, point)
      }
    },
  }
}

const isCounter = ({ metric }: Observation): boolean => metricTable[metric].instrument === 'counter'

const seriesOf = ({ metric, attributes }: Observation): string =>
  JSON.stringify([metric, ...Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1))])

const optionsOf = ({ unit, help, buckets }: MetricSpec): InstrumentOptions => ({
  unit,
  description: help,
  // Those that OpenTelemetry takes by itself are made for milliseconds.
  ...(buckets === undefined ? {} : { advice: { explicitBucketBoundaries: [...buckets] } }),
})

/** An empty text says to Prometheus what a missing attribute says here. */
const known = (attributes: Observation['attributes']): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ''))
