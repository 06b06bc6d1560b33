import type { Registry } from 'prom-client'
import { compatLabelNames, compatLabels, compatMetrics, type CompatFigures } from '../compat-metrics.ts'
import type { PromClient } from './series.ts'

/** Metrics under the names of CodeCarbon for Python in a registry of prom-client. @returns what shows the figures of a report */
export function createCompatSeries(prom: PromClient, registry: Registry): (figures: CompatFigures) => void {
  const all = compatMetrics.map(({ name, instrument, help, value }) => {
    const common = { name, help, labelNames: compatLabelNames, registers: [registry] }
    const metric = instrument === 'counter' ? new prom.Counter(common) : new prom.Gauge(common)
    return { metric, value }
  })
  return (figures) => {
    const labels = compatLabels(figures)
    for (const { metric, value } of all) {
      metric.reset()
      const known = value(figures)
      if (known !== undefined) metric.inc(labels, known)
    }
  }
}
