import type { Series } from './prometheus-answer.ts'
import type { Labels, Sighting } from './run-record.ts'
import { kindOf, type Kind } from './series-kind.ts'

/** What one target showed, the last of a window or every sample of it. */
export interface TargetSightings {
  readonly target: Labels
  readonly targetKey: string
  /** Every run that was there, by its own labels. */
  readonly runs: readonly Labels[]
  readonly sightings: readonly Sighting[]
}

interface Sample {
  readonly kind: Kind
  readonly value: number
}

/** By moment and target, what the last samples before each moment show. For moments at which a target showed several runs look at its samples. */
export function lastSightings(series: readonly Series[]): ReadonlyMap<number, readonly TargetSightings[]> {
  const moments = new Map<number, Map<string, Sample[]>>()
  for (const one of series) {
    const kind = kindOf(one)
    if (kind === undefined) continue
    for (const [ms, value] of one.points) {
      const targets = moments.get(ms) ?? new Map<string, Sample[]>()
      moments.set(ms, targets)
      append(targets, kind.targetKey, { kind, value })
    }
  }
  return new Map(
    [...moments].map(([ms, targets]) => [ms, [...targets.values()].map((samples) => toLast(samples))]),
  )
}

function toLast(series: readonly Sample[]): TargetSightings {
  const { target, targetKey } = series[0]?.kind ?? { target: {}, targetKey: '' }
  const runs = series.filter(({ kind }) => kind.metric === 'runInfo').map(({ kind }) => kind.own)
  return { target, targetKey, runs, sightings: [{ runs, series }] }
}

/** What each target showed from one scrape to the next. All samples of a scrape have one time, so that the run stands beside its counters. */
export function everySighting(series: readonly Series[]): readonly TargetSightings[] {
  const targets = new Map<string, { readonly kind: Kind; readonly points: Series['points'] }[]>()
  for (const one of series) {
    const kind = kindOf(one)
    if (kind !== undefined) append(targets, kind.targetKey, { kind, points: one.points })
  }
  return [...targets.values()].map(toEvery)
}

function toEvery(
  series: readonly { readonly kind: Kind; readonly points: Series['points'] }[],
): TargetSightings {
  const { target, targetKey } = series[0]?.kind ?? { target: {}, targetKey: '' }
  const runs = series
    .filter(({ kind, points }) => kind.metric === 'runInfo' && points.length > 0)
    .map(({ kind }) => kind.own)
  const times = new Map<number, Sample[]>()
  for (const { kind, points } of series) {
    for (const [ms, value] of points) append(times, ms, { kind, value })
  }
  const sightings = [...times]
    .toSorted(([one], [other]) => one - other)
    .map(([, samples]) => ({
      runs: samples.filter(({ kind }) => kind.metric === 'runInfo').map(({ kind }) => kind.own),
      series: samples,
    }))
  return { target, targetKey, runs, sightings }
}

function append<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}
