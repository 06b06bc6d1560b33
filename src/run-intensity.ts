import { join } from 'node:path'
import type { Options } from './config/option-table.ts'
import type { Clock } from './core/clock.ts'
import type { IntensityRecord } from './core/emissions-data.ts'
import type { Problem } from './core/problem.ts'
import { makeDirectory } from './files/make-directory.ts'
import { stateDirectory } from './files/state-directory.ts'
import { chooseProvider } from './grid/live/choose-provider.ts'
import type { Fetch } from './grid/live/http-get.ts'
import { createLiveIntensity, type LiveIntensity } from './grid/live/live-intensity.ts'
import type { Log } from './log.ts'
import type { Survey } from './survey.ts'

/** The carbon intensity that a run is counted with: of each moment, and of the run as a whole. */
export interface RunIntensity {
  /** gCO2e/kWh of this moment, for the energy since it was last asked. */
  gramsPerKwh(): number
  /** What the record states. Where several sources were used it names them all. */
  record(): IntensityRecord
  /** Resolves when what is known at the moment is known. */
  settled(): Promise<void>
  close(): void
}

/** What it is put together from. */
export interface RunIntensityParts {
  readonly options: Options
  readonly survey: Pick<Survey, 'place' | 'intensity'>
  readonly clock: Clock
  readonly log: Log
  readonly onProblem: (problem: Problem) => void
  readonly fetch?: Fetch | undefined
}

/** The yearly figure of the place; or, where the options name a service, what that says, with the yearly figure for the time it says nothing. */
export function createRunIntensity(parts: RunIntensityParts): RunIntensity {
  const { options, survey, clock, log, onProblem, fetch } = parts
  const { provider, problems } = chooseProvider(options, survey.place)
  for (const problem of problems) onProblem(problem)
  if (provider === undefined) return constant(survey.intensity)
  const live = createLiveIntensity({
    provider,
    fallback: survey.intensity,
    clock,
    onProblem,
    onNotice: (message) => {
      log('info', message)
    },
    cacheFile: join(stateDirectory(), 'intensity.json'),
    makeDirectory,
    fetch,
  })
  live.start()
  return follow(live)
}

const constant = (intensity: IntensityRecord): RunIntensity => ({
  gramsPerKwh: () => intensity.gramsPerKwh,
  record: () => intensity,
  settled: () => Promise.resolve(),
  close: () => undefined,
})

function follow(live: LiveIntensity): RunIntensity {
  const used = new Map<string, IntensityRecord>()
  let isBegun = false
  return {
    gramsPerKwh() {
      const current = live.current()
      // The first reading is where energy begins to be counted.
      if (isBegun) used.set(`${current.source} ${current.basis}`, current)
      isBegun = true
      return current.gramsPerKwh
    },
    record() {
      const all = [...used.values()]
      const [first = live.current()] = all.slice(-1)
      if (all.length < 2) return first
      const isOne = all.every(({ basis }) => basis === first.basis)
      return {
        ...first,
        year: undefined,
        source: all.map(({ source }) => source).join(' and '),
        basis: isOne ? first.basis : 'mixed',
        quality: 'mixed',
      }
    },
    settled: () => live.settled(),
    close() {
      live.close()
    },
  }
}
