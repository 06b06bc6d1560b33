import { TooMuchAsked, type Moments, type PrometheusApi } from './prometheus-api.ts'
import type { Series } from './prometheus-answer.ts'
import { createQueries, type LookEvery, type Queries } from './queries.ts'
import { createRunRecord, type Labels, type RunRecord, type Sighting } from './run-record.ts'
import { targetKeyOf } from './series-kind.ts'
import { everySighting, lastSightings, type TargetSightings } from './sightings.ts'

/** The time to be told, in milliseconds since 1970. */
export interface Span {
  readonly fromMs: number
  readonly untilMs: number
}

/** All that a Prometheus knows of runs in a span. */
export interface CollectedRuns {
  readonly records: readonly RunRecord[]
  /** The longest time between two readings that were seen of a target, in seconds, where that can be told. */
  readonly readingSeconds: number | undefined
  /** Whether all targets could be looked for before the span. */
  readonly lookedBack: boolean
}

/** Windows that the span is cut into: within one, only the last sample of a target that goes on is asked for. */
const windowMs = 60 * 60_000
/** Windows that one question is about, at first. */
const mostMoments = 24
/** Targets of which one question asks every sample, at first. */
const mostTargets = 20
/** No scrape interval is longer than is useful. */
const shortestWindowMs = 60_000
/** How long a target may have been out of sight when the span begins. */
const lookBackMs = 7 * 24 * windowMs

/**
 * Collects the runs of a span, with what each used in it. For most windows the last samples tell; where a target began again, or showed
 * several runs, every sample of that window does. A question that is too much for the Prometheus is asked in parts.
 *
 * @throws EnergyError ERR_QUERY_FAILED
 */
export async function collectRuns(
  api: PrometheusApi,
  span: Span,
  match: string | undefined,
): Promise<CollectedRuns> {
  const questions = createQuestions(api, createQueries(match))
  const count = Math.max(1, Math.ceil((span.untilMs - span.fromMs) / windowMs))
  const stepMs = Math.ceil((span.untilMs - span.fromMs) / count)
  const book = createBook(await questions.before(span.fromMs, stepMs))
  for (let begin = 0; begin < count; begin += mostMoments) {
    const moments = {
      fromMs: span.untilMs - (count - begin - 1) * stepMs,
      toMs: span.untilMs - Math.max(0, count - begin - mostMoments) * stepMs,
      stepMs,
    }
    // oxlint-disable-next-line no-await-in-loop -- counters are followed from one window to the next
    const windows = await questions.windows(moments)
    // oxlint-disable-next-line no-await-in-loop -- as above
    await book.add(windows, (targets) => questions.longBefore(targets, span.fromMs))
  }
  return book.close()
}

/** What one window tells. */
interface Window {
  readonly targets: readonly TargetSightings[]
  /** First tick in it, seconds since 1970, by target. */
  readonly firstTicks: ReadonlyMap<string, number>
  /** How often a newer one was seen, by target. */
  readonly ticks: ReadonlyMap<string, number>
}

/** What was there before the span. */
interface Before {
  /** Last samples in the window before it. */
  readonly targets: readonly TargetSightings[]
  /** Ids of the runs of the last week. */
  readonly runIds: ReadonlySet<string>
  readonly lookedBack: boolean
}

interface Questions {
  before(atMs: number, stepMs: number): Promise<Before>
  windows(moments: Moments): Promise<readonly Window[]>
  /** Last samples of the week before; `undefined` where that is too much. */
  longBefore(targets: readonly Labels[], atMs: number): Promise<readonly TargetSightings[] | undefined>
}

function createQuestions(api: PrometheusApi, queries: Queries): Questions {
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
      const answers: Series[] = []
      // oxlint-disable-next-line no-await-in-loop -- it has just said that it was too much
      for (const part of parts) answers.push(...(await samples(...part)))
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

interface Book {
  add(
    windows: readonly Window[],
    longBefore: (targets: readonly Labels[]) => Promise<readonly TargetSightings[] | undefined>,
  ): Promise<void>
  close(): CollectedRuns
}

/** Follows every run on every target from one window to the next. */
function createBook(before: Before): Book {
  const records = new Map<string, RunRecord>()
  const older = new Map(before.targets.map((target) => [target.targetKey, target]))
  const spacing = new Map<string, number>()
  let { lookedBack } = before

  /** A run of before goes on from where it stood; any other began at zero. */
  function open({ target, targetKey }: TargetSightings, run: Labels | undefined): RunRecord {
    const key = `${targetKey} ${run?.['run_id'] ?? ''}`
    const known = records.get(key)
    if (known !== undefined) return known
    const record = createRunRecord(target, run)
    records.set(key, record)
    const earlier = older.get(targetKey)
    const wasThere = earlier !== undefined && (run === undefined || hasRun(earlier, run))
    if (wasThere) {
      const [last] = earlier.sightings
      if (last !== undefined) startFrom(record, last)
    }
    return record
  }

  /** Notes how far apart readings were seen: the closest of a target tells, since it may have been away in between. */
  function noteSpacing(targetKey: string, first: number, last: number, changes: number): void {
    if (changes < 2) return
    spacing.set(targetKey, Math.min((last - first) / changes, spacing.get(targetKey) ?? Infinity))
  }

  function addPlain(target: TargetSightings, sighting: Sighting, window: Window): void {
    const record = open(target, sighting.run)
    record.see(sighting)
    const [first, last] = [window.firstTicks.get(target.targetKey), tickOf(sighting)]
    if (first !== undefined) record.seeTick(first)
    if (last !== undefined) record.seeTick(last)
    if (first === undefined || last === undefined) return
    noteSpacing(target.targetKey, first, last, window.ticks.get(target.targetKey) ?? 0)
  }

  function addMixed(target: TargetSightings): void {
    const ticks = new Map<RunRecord, Set<number>>()
    for (const sighting of target.sightings) {
      const record = open(target, sighting.run)
      record.see(sighting)
      const tick = tickOf(sighting)
      if (tick === undefined) continue
      record.seeTick(tick)
      ticks.set(record, (ticks.get(record) ?? new Set()).add(tick))
    }
    for (const seen of ticks.values()) {
      noteSpacing(target.targetKey, Math.min(...seen), Math.max(...seen), seen.size - 1)
    }
  }

  function addWindow(window: Window): void {
    for (const target of window.targets) {
      const [first, ...others] = target.sightings
      if (first !== undefined && others.length === 0 && target.runs.length < 2)
        addPlain(target, first, window)
      else addMixed(target)
    }
  }

  return {
    async add(windows, longBefore) {
      const isNew = (target: TargetSightings): boolean =>
        target.runs.some(
          (run) =>
            before.runIds.has(run['run_id'] ?? '') &&
            !records.has(`${target.targetKey} ${run['run_id'] ?? ''}`) &&
            !(older.has(target.targetKey) && hasRun(older.get(target.targetKey) ?? target, run)),
        )
      const outOfSight = windows.flatMap(({ targets }) => targets.filter(isNew))
      if (outOfSight.length > 0) {
        const wanted = new Map(outOfSight.map(({ targetKey, target }) => [targetKey, target]))
        const all = await longBefore([...wanted.values()])
        if (all === undefined) lookedBack = false
        for (const found of all ?? []) {
          if (wanted.has(found.targetKey)) older.set(found.targetKey, found)
        }
      }
      for (const window of windows) addWindow(window)
    },
    close: () => ({
      records: [...records.values()],
      readingSeconds: spacing.size === 0 ? undefined : Math.max(...spacing.values()),
      lookedBack,
    }),
  }
}

function startFrom(record: RunRecord, sighting: Sighting): void {
  record.startFrom(sighting)
  const tick = tickOf(sighting)
  if (tick !== undefined) record.seeTick(tick)
}

const hasRun = ({ runs }: TargetSightings, run: Labels): boolean =>
  runs.some((known) => known['run_id'] === run['run_id'])

const tickOf = ({ series }: Sighting): number | undefined =>
  series.find(({ kind }) => kind.metric === 'lastTick')?.value
