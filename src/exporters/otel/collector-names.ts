import { metricSpecs, unitSuffix } from '../metrics.ts'

/** A View in the form that `new MeterProvider({ views })` takes. */
export interface CollectorName {
  readonly meterName: string
  readonly instrumentName: string
  readonly name: string
}

/**
 * Views with which `@opentelemetry/exporter-prometheus` gives metrics the names that the Collector and Prometheus' own receiver give them:
 * `hw_energy_joules_total` in place of `hw_energy_total`. They put the unit into the name, which the others do not repeat where it is already there.
 * A unit per another one is left out, since they would repeat its second half.
 *
 * @example
 * new MeterProvider({ readers: [new PrometheusExporter()], views: collectorNames() })
 */
export function collectorNames({ meterName = 'codecarbon' }: { meterName?: string } = {}): CollectorName[] {
  return metricSpecs.flatMap(([, spec]) => {
    const suffix = unitSuffix(spec)
    if (suffix === '' || spec.unit.includes('/')) return []
    return [{ meterName, instrumentName: spec.name, name: `${spec.name}.${suffix}` }]
  })
}
