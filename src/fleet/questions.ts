import { TooMuchAsked, type Moments, type PrometheusApi } from './prometheus-api.ts'
import type { Series } from './prometheus-answer.ts'
import type { LookEvery, Queries } from './queries.ts'
import type { Labels } from './run-record.ts'
import { targetKeyOf } from './series-kind.ts'
import { everySighting, lastSightings, type TargetSightings } from './sightings.ts'

/** What one window tells. */
export interface Window {
  readonly targets: readonly TargetSightings[]
  /** First tick in it, seconds since 1970, by target. */
  readonly firstTicks: ReadonlyMap<string, number>
  /** How often a newer one was seen, by target. */
  readonly ticks: ReadonlyMap<string, number>
}

/** What was there before the span. */
export interface Before {
  /** Last samples in the window before it. */
  readonly targets: readonly TargetSightings[]
  /** Ids of the runs of the last week. */
  readonly runIds: ReadonlySet<string>
  readonly lookedBack: boolean
}

/** Targets of which one question asks every sample, at first. */
const mostTargets = 20
/** No scrape interval is longer than is useful. */
const shortestWindowMs = 60_000
/** How long a target may have been out of sight when the span begins: a week. */
const lookBackMs = 7 * 24 * 60 * 60_000

/** What is asked of a Prometheus. Where one question is too much for it, its parts are asked. */
export interface Questions {
  /** What was there in the window that ends at the moment, and which runs in the week before it. */
  before(atMs: number, stepMs: number): Promise<Before>
  /** One for each moment, which ends it; those without any sample are left out. */
  windows(moments: Moments): Promise<readonly Window[]>
  /** Last samples of the week before; `undefined` where that is too much. */
  longBefore(targets: readonly Labels[], atMs: number): Promise<readonly TargetSightings[] | undefined>
}

/** Asks by these expressions. Every question rejects with EnergyError ERR_QUERY_FAILED. */
export function createQuestions(api: PrometheusApi, queries: Queries): Questions {
  async function range(expr: string, moments: Moments): Promise<readonly Series[]> {
    const { fromMs, toMs, stepMs } = moments
    try {
      return await api.queryRange(expr, moments)
    } catch (error) {
      if (!(error instanceof TooMuchAsked) || fromMs >= toMs) throw error
      const half = fromMs + Math.floor((toMs - fromMs) / stepMs / 2) * stepMs
      const early = await range(expr, { fromMs, toMs: half, stepMs })
      return [...early, ...(await range(expr, { fromMs: half + stepMs, toMs, stepMs }))]
    }
  }

  async function samples(
    targets: readonly Labels[],
    endMs: number,
    lengthMs: number,
  ): Promise<readonly Series[]> {
    const again = async (
      parts: readonly (readonly [readonly Labels[], number, number])[],
    ): Promise<Series[]> => {
      let answers: Series[] = []
      // oxlint-disable-next-line no-await-in-loop -- it has just said that it was too much
      for (const part of parts) answers = answers.concat(await samples(...part))
      return answers
    }
    try {
      if (targets.length > mostTargets) throw new TooMuchAsked('')
      return await api.query(queries.samples(lengthMs, targets), endMs)
    } catch (error) {
      if (!(error instanceof TooMuchAsked)) throw error
      const half = Math.ceil(targets.length / 2)
      if (targets.length > 1) {
        return again([
          [targets.slice(0, half), endMs, lengthMs],
          [targets.slice(half), endMs, lengthMs],
        ])
      }
      if (lengthMs < 2 * shortestWindowMs) throw error
      const halfMs = Math.ceil(lengthMs / 2)
      return joined(
        await again([
          [targets, endMs - halfMs, lengthMs - halfMs],
          [targets, endMs, halfMs],
        ]),
      )
    }
  }

  /** Looks less closely where that is too much; `undefined` where even that is. */
  async function lookBack(
    expr: (every: LookEvery) => string,
    atMs: number,
  ): Promise<readonly Series[] | undefined> {
    for (const every of ['5m', '1h'] as const) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- the second only where the first was too much
        return await api.query(expr(every), atMs)
      } catch (error) {
        if (!(error instanceof TooMuchAsked)) throw error
      }
    }
    return undefined
  }

  return {
    async before(atMs, stepMs) {
      const last = await api.query(queries.last(stepMs), atMs)
      const runs = await lookBack((every) => queries.runsBefore(lookBackMs, every), atMs)
      const ids = (runs ?? []).map(({ labels }) => labels['run_id'] ?? '')
      return {
        targets: [...lastSightings(last).values()].flat(),
        runIds: new Set(ids),
        lookedBack: runs !== undefined,
      }
    },

    async windows(moments) {
      const { stepMs } = moments
      const [last, restarts, firstTicks, ticks] = await Promise.all([
        range(queries.last(stepMs), moments),
        range(queries.restarts(stepMs), moments),
        range(queries.firstTick(stepMs), moments),
        range(queries.ticks(stepMs), moments),
      ])
      const [restarted, first, seen] = [restarts, firstTicks, ticks].map(byMoment)
      const windows: Window[] = []
      for (const [ms, targets] of [...lastSightings(last)].toSorted(([one], [other]) => one - other)) {
        const isPlain = ({ targetKey, runs }: TargetSightings): boolean =>
          runs.length < 2 && restarted?.get(ms)?.has(targetKey) !== true
        const mixed = targets.filter((target) => !isPlain(target))
        const names = new Set(mixed.map(({ targetKey }) => targetKey))
        const every =
          mixed.length === 0
            ? []
            : // oxlint-disable-next-line no-await-in-loop -- a Prometheus is others' too
              await samples(
                mixed.map(({ target }) => target),
                ms,
                stepMs,
              )
        windows.push({
          targets: [
            ...targets.filter(isPlain),
            ...everySighting(every).filter(({ targetKey }) => names.has(targetKey)),
          ],
          firstTicks: first?.get(ms) ?? new Map<string, number>(),
          ticks: seen?.get(ms) ?? new Map<string, number>(),
        })
      }
      return windows
    },

    async longBefore(targets, atMs) {
      const last = await lookBack((every) => queries.lastBefore(lookBackMs, every, targets), atMs)
      return last === undefined ? undefined : [...lastSightings(last).values()].flat()
    },
  }
}

/** Series that were asked for in parts, whole again. */
function joined(parts: readonly Series[]): Series[] {
  const whole = new Map<string, Series>()
  for (const part of parts) {
    const key = JSON.stringify(part.labels)
    const known = whole.get(key)
    whole.set(key, known === undefined ? part : { ...part, points: [...known.points, ...part.points] })
  }
  return [...whole.values()]
}

function byMoment(series: readonly Series[]): ReadonlyMap<number, ReadonlyMap<string, number>> {
  const moments = new Map<number, Map<string, number>>()
  for (const one of series) {
    const key = targetKeyOf(one)
    for (const [ms, value] of one.points) {
      const targets = moments.get(ms) ?? new Map<string, number>()
      moments.set(ms, targets.set(key, value))
    }
  }
  return moments
}
