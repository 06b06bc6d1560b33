import { labelName, metricTable, prometheusName, type MetricKey } from '../exporters/metrics.ts'
import type { Series } from './prometheus-answer.ts'

/** Metrics that a statement is made of. Their names are those of the endpoint and of the Collector alike. */
export const countedKeys = [
  'componentEnergy',
  'energyBound',
  'emissions',
  'emissionsBound',
  'embodiedEmissions',
  'waterVolume',
  'functionalUnits',
] as const
/** One of {@link countedKeys}: a counter that begins with its run. */
export type CountedKey = (typeof countedKeys)[number]

/** What stands beside the counters. */
const factKeys = [
  'runInfo',
  'buildInfo',
  'carbonIntensity',
  'carbonIntensityTimestamp',
  'pue',
  'runStart',
  'lastTick',
  'hostReporter',
] as const
type FactKey = (typeof factKeys)[number]

const nameOf = (key: MetricKey): string => prometheusName(metricTable[key])
const keys: ReadonlyMap<string, CountedKey | FactKey> = new Map(
  [...countedKeys, ...factKeys].map((key) => [nameOf(key), key]),
)

/** Names in Prometheus that questions are asked with. */
export const namesAsked: string = [...keys.keys()].join('|')
/** @see namesAsked */
export const runInfoName: string = nameOf('runInfo')
/** @see namesAsked */
export const lastTickName: string = nameOf('lastTick')
/** @see namesAsked */
export const energyName: string = nameOf('componentEnergy')

/** What a series is of, and where it was scraped. */
export interface Kind {
  readonly metric: CountedKey | FactKey
  /** Labels of the metric's own. */
  readonly own: Readonly<Record<string, string>>
  /** All others: `job`, `instance`, and what Prometheus was told to add. Those that OpenTelemetry adds about itself are left out. */
  readonly target: Readonly<Record<string, string>>
  /** The same as a text. */
  readonly targetKey: string
}

/** Tells what a series is of, by its name; `undefined` for one of another metric. */
export function kindOf({ labels }: Series): Kind | undefined {
  const metric = keys.get(labels['__name__'] ?? '')
  if (metric === undefined) return undefined
  const ownNames: ReadonlySet<string> = new Set(metricTable[metric].attributes.map(labelName))
  const target = targetOf(labels, ownNames)
  return {
    metric,
    own: Object.fromEntries(Object.entries(labels).filter(([name]) => ownNames.has(name))),
    target: Object.fromEntries(target),
    targetKey: JSON.stringify(target),
  }
}

/** {@link Kind.targetKey} of a series of an expression, which has no name and no labels of a metric's own. */
export const targetKeyOf = ({ labels }: Series): string => JSON.stringify(targetOf(labels, new Set()))

const targetOf = (
  labels: Series['labels'],
  ownNames: ReadonlySet<string>,
): (readonly [name: string, value: string])[] =>
  Object.entries(labels)
    .filter(([name]) => name !== '__name__' && !ownNames.has(name) && !name.startsWith('otel_scope_'))
    .toSorted(([one], [other]) => (one < other ? -1 : 1))

/** Whether a metric is one of those that are counted. */
export const isCounted = (metric: Kind['metric']): metric is CountedKey =>
  (countedKeys as readonly string[]).includes(metric)
