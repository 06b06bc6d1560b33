import type { Before, Window } from './questions.ts'
import { createRunRecord, type Labels, type RunRecord, type Sighting } from './run-record.ts'
import type { TargetSightings } from './sightings.ts'

/** All that a Prometheus knows of runs in a span. */
export interface CollectedRuns {
  readonly records: readonly RunRecord[]
  /** The longest time between two readings that were seen of a target, in seconds, where that can be told. */
  readonly readingSeconds: number | undefined
  /** Whether all targets could be looked for before the span. */
  readonly lookedBack: boolean
}

/** Where runs are followed from one window to the next. */
export interface Book {
  /** Takes windows in their order; asks for the last samples of a week before where a run of then comes into sight. */
  add(
    windows: readonly Window[],
    longBefore: (targets: readonly Labels[]) => Promise<readonly TargetSightings[] | undefined>,
  ): Promise<void>
  close(): CollectedRuns
}

/** Follows every run on every target. */
export function createBook(before: Before): Book {
  const records = new Map<string, RunRecord>()
  const older = new Map(before.targets.map((target) => [target.targetKey, target]))
  const spacing = new Map<string, number>()
  let { lookedBack } = before
  /** Runs of each target in the order in which they came. */
  const order = new Map<string, Map<string, number>>()
  /** The run that each target showed last. */
  const latest = new Map<string, Labels>()

  /**
   * The run that the counters of a sighting are of: where there are two, as where a Collector still repeats the one that ended, the one that
   * came later; where there is none, the last one.
   */
  function runOf({ targetKey }: TargetSightings, { runs }: Sighting): Labels | undefined {
    const ranks = order.get(targetKey) ?? new Map<string, number>()
    order.set(targetKey, ranks)
    for (const { run_id: id = '' } of runs) if (!ranks.has(id)) ranks.set(id, ranks.size)
    const rank = (run: Labels): number => ranks.get(run['run_id'] ?? '') ?? -1
    const [run = latest.get(targetKey)] = runs.toSorted((one, other) => rank(other) - rank(one))
    if (run !== undefined) latest.set(targetKey, run)
    return run
  }

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
    const record = open(target, runOf(target, sighting))
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
      const record = open(target, runOf(target, sighting))
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
