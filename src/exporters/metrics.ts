/**
 * The one table of metrics: names, instruments, units, help and attributes, for OpenTelemetry and Prometheus alike. Exporters, documents,
 * dashboards and rules are compared with it.
 */

import { deviceSpecs } from './metrics/device-metrics.ts'
import type { MetricSpec } from './metrics/metric-spec.ts'
import { modelCallSpecs } from './metrics/model-call-metrics.ts'
import { runSpecs } from './metrics/run-metrics.ts'
import { taskSpecs } from './metrics/task-metrics.ts'
import { usageSpecs } from './metrics/usage-metrics.ts'

export type { MetricSpec } from './metrics/metric-spec.ts'

type Table = typeof deviceSpecs &
  typeof usageSpecs &
  typeof taskSpecs &
  typeof modelCallSpecs &
  typeof runSpecs

/** Every metric, by a key that the code uses, by subject in `metrics/`. */
export const metricTable: Table = {
  ...deviceSpecs,
  ...usageSpecs,
  ...taskSpecs,
  ...modelCallSpecs,
  ...runSpecs,
}

/** A key of {@link metricTable}. */
export type MetricKey = keyof Table

/** The table as a list, in its order. */
export const metricSpecs: readonly (readonly [MetricKey, MetricSpec])[] = Object.entries(metricTable) as never

/** What Prometheus and the OpenTelemetry Collector call units; one that is not here stays as it is. */
const unitNames: Readonly<Record<string, string>> = {
  J: 'joules',
  W: 'watts',
  g: 'grams',
  s: 'seconds',
  By: 'bytes',
  'g/kWh': 'grams_per_kWh',
}

/**
 * The name in Prometheus, by the rules of the OpenTelemetry specification as the Collector and Prometheus' own receiver apply them
 * (otlptranslator): dots become underscores, the unit follows in words, `{…}` says nothing, a gauge of unit 1 ends in `_ratio`, a
 * counter in `_total`.
 */
export function prometheusName(spec: MetricSpec): string {
  const base = spec.name.replaceAll('.', '_')
  const suffix = unitSuffix(spec)
  const named = suffix === '' ? base : `${base}_${suffix}`
  return spec.instrument === 'counter' ? `${named}_total` : named
}

/** What the unit adds to that name; empty where it says nothing, or where the name says it already. */
export function unitSuffix({ name, unit, instrument }: MetricSpec): string {
  const words = unit.replaceAll(/\{[^}]*\}/g, '').replace(/^\/$/, '')
  const suffix = unit === '1' ? (instrument === 'gauge' ? 'ratio' : '') : (unitNames[words] ?? words)
  return name.replaceAll('.', '_').endsWith(`_${suffix}`) ? '' : suffix
}

/** The name of an attribute as a label in Prometheus. */
export const labelName = (attribute: string): string => attribute.replaceAll('.', '_')
