import type { RunView } from '../../core/exporter.ts'
import { metricSpecs, type MetricKey, type MetricSpec } from '../metrics.ts'
import { observe, type Observation } from '../observations.ts'
import type { TaskPoint } from '../task-points.ts'
import type { Attributes, Histogram, InstrumentOptions, Meter, ObserveAll } from './meter-provider.ts'

/** The metrics of the table as instruments of one meter. */
export interface Instruments {
  /** Adds an ended task to the histograms. */
  add(point: TaskPoint): void
  /** Nothing is observed any more. OpenTelemetry has no way to take an instrument away. */
  close(): void
}

/**
 * Makes an instrument of each metric. One callback tells all of them, so that the points of a collection are of one moment; it reads no
 * hardware, it looks at the run.
 */
export function createInstruments(meter: Meter, look: () => RunView): Instruments {
  const observables = new Map<MetricKey, object>()
  const histograms = new Map<MetricKey, Histogram>()
  for (const [key, spec] of metricSpecs) {
    const options = optionsOf(spec)
    if (spec.instrument === 'histogram') histograms.set(key, meter.createHistogram(spec.name, options))
    else if (spec.instrument === 'counter') {
      observables.set(key, meter.createObservableCounter(spec.name, options))
    } else observables.set(key, meter.createObservableGauge(spec.name, options))
  }
  const all = [...observables.values()] as never[]
  const observeAll: ObserveAll = (result) => {
    for (const { metric, value, attributes } of observe(look())) {
      const instrument = observables.get(metric)
      if (instrument !== undefined) result.observe(instrument as never, value, known(attributes))
    }
  }
  meter.addBatchObservableCallback(observeAll, all)
  return {
    add({ observations }) {
      for (const { metric, value, attributes } of observations) {
        histograms.get(metric)?.record(value, known(attributes))
      }
    },
    close() {
      meter.removeBatchObservableCallback(observeAll, all)
    },
  }
}

const optionsOf = ({ unit, help, buckets }: MetricSpec): InstrumentOptions => ({
  unit,
  description: help,
  // Those that OpenTelemetry takes by itself are made for milliseconds.
  ...(buckets === undefined ? {} : { advice: { explicitBucketBoundaries: [...buckets] } }),
})

/** An empty text says to Prometheus what a missing attribute says here. */
const known = (attributes: Observation['attributes']): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ''))
