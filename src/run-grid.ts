import { join } from 'node:path'
import type { Options } from './config/option-table.ts'
import type { Clock } from './core/clock.ts'
import type { IntensityRecord } from './core/emissions-data.ts'
import type { Problem } from './core/problem.ts'
import type { Seconds } from './core/units.ts'
import { makeDirectory } from './files/make-directory.ts'
import { stateDirectory } from './files/state-directory.ts'
import { intensityFor } from './grid/intensity.ts'
import { chooseProvider } from './grid/live/choose-provider.ts'
import type { Fetch } from './http/http-request.ts'
import { createLiveIntensity, type LiveIntensity } from './grid/live/live-intensity.ts'
import { locateSteps } from './grid/locate/locate-steps.ts'
import { createLocator, type Locator } from './grid/locate/locator.ts'
import type { Place } from './grid/place.ts'
import { zonesFor } from './grid/zones/zone-table.ts'
import type { Log } from './log.ts'
import { placeProblem, type Survey } from './survey.ts'

/** Where a run is and how green its power is: of each moment, and of the run as a whole. */
export interface RunGrid {
  /** The best that is known at this moment. */
  place(): Place
  /** gCO2e/kWh of this moment, for the energy since it was last asked. */
  gramsPerKwh(): number
  /**
   * What a record states of the time since then, on the monotonic clock; of the whole run where that is left out. Where several figures
   * were used it names them all.
   */
  record(since?: Seconds): IntensityRecord
  /** Resolves when what is to be known at the moment is known. */
  settled(): Promise<void>
  close(): void
}

/** What it is put together from. */
export interface RunGridParts {
  readonly options: Options
  readonly survey: Pick<Survey, 'place' | 'isPlaceGiven' | 'intensity'>
  readonly clock: Clock
  readonly log: Log
  readonly onProblem: (problem: Problem) => void
  readonly fetch?: Fetch | undefined
}

/**
 * Finds the place where nobody says it, by the ways that `locate_by` names; takes its yearly figure; and where the options name a service,
 * what that says of the moment, with the yearly figure for the time in which it says nothing. All in the background.
 */
export function createRunGrid(parts: RunGridParts): RunGrid {
  const { options, survey, onProblem } = parts
  const isForced = survey.intensity.scope === 'given'
  const used = createSourceLog()
  let place = survey.place
  let yearly = survey.intensity
  let live: LiveIntensity | undefined
  let isClosed = false

  function take(found: Place): void {
    place = found
    if (isForced) return
    const { intensity, problems } = intensityFor(found, zonesFor(options.intensitySource))
    yearly = intensity
    for (const problem of problems) onProblem(placeProblem(problem))
  }
  function beginLive(): void {
    const { provider, problems } = chooseProvider(options, place)
    for (const problem of problems) onProblem(problem)
    if (provider === undefined) return
    live = createLiveIntensity({ ...backgroundOf(parts, 'intensity.json'), provider, fallback: yearly })
    live.start()
  }

  const locator = survey.isPlaceGiven ? undefined : createOwnLocator(parts)
  locator?.start()
  const first = locator?.place()
  if (first !== undefined) take(first)
  // A service is asked about one place, so it has to be known first.
  const searched = locator?.settled().then(() => {
    if (isClosed) return
    const found = locator.place()
    if (found !== undefined && found !== first) take(found)
    beginLive()
  })
  if (locator === undefined) beginLive()

  return {
    place: () => place,
    gramsPerKwh() {
      const current = live?.current() ?? yearly
      used.note(current, parts.clock.now().monotonic)
      return current.gramsPerKwh
    },
    record: (since) => used.record(since) ?? live?.current() ?? yearly,
    async settled() {
      await searched
      await live?.settled()
    },
    close() {
      isClosed = true
      locator?.close()
      live?.close()
    },
  }
}

/** What runs in the background of a run needs. */
function backgroundOf(
  { clock, log, onProblem, fetch }: RunGridParts,
  cacheName: string,
): {
  readonly clock: Clock
  readonly onProblem: (problem: Problem) => void
  readonly onNotice: (message: string) => void
  readonly cacheFile: string
  readonly makeDirectory: (path: string) => void
  readonly fetch: Fetch | undefined
} {
  return {
    clock,
    onProblem,
    onNotice: (message) => {
      log('info', message)
    },
    cacheFile: join(stateDirectory(), cacheName),
    makeDirectory,
    fetch,
  }
}

/** Ways to find a place as the option names them. */
const waysByStep: Readonly<Partial<Record<Place['foundBy'], Options['locateBy'][number]>>> = {
  environment: 'environment',
  'cloud metadata': 'cloud',
  'time zone': 'time-zone',
  'IP lookup': 'ip',
}

function createOwnLocator(parts: RunGridParts): Locator {
  const { offline, locateBy, sysfsPath, procfsPath } = parts.options
  const steps = locateSteps({ offline, mayAskIp: true, sysfsPath, procfsPath }).filter(({ foundBy }) => {
    const way = waysByStep[foundBy]
    return way !== undefined && locateBy.includes(way)
  })
  return createLocator({ ...backgroundOf(parts, 'place.json'), steps })
}

/** Which figures energy was counted with, so that none is mixed in silence. */
interface SourceLog {
  note(current: IntensityRecord, at: Seconds): void
  /** The latest since then, with the names of all; `undefined` where no energy was counted. */
  record(since?: Seconds): IntensityRecord | undefined
}

function createSourceLog(): SourceLog {
  /** By what figures are told apart, in the order in which they were last used. */
  const used = new Map<string, { readonly record: IntensityRecord; readonly at: Seconds }>()
  let isBegun = false
  return {
    note(current, at) {
      // A live source has many figures; a yearly one has one for each place.
      const { source, basis, scope, year, gramsPerKwh } = current
      const key = [source, basis, scope, ...(year === undefined ? [] : [year, gramsPerKwh])].join(' ')
      used.delete(key)
      // The first reading is where energy begins to be counted.
      if (isBegun) used.set(key, { record: current, at })
      isBegun = true
    },
    record(since) {
      const all = [...used.values()].filter(({ at }) => since === undefined || at > since)
      const last = all.at(-1)?.record
      if (last === undefined || all.length < 2) return last
      return {
        ...last,
        year: undefined,
        observedAtMs: undefined,
        source: [...new Set(all.map(({ record }) => record.source))].join(' and '),
        basis: all.every(({ record }) => record.basis === last.basis) ? last.basis : 'mixed',
        quality: 'mixed',
      }
    },
  }
}
