import type { Run } from './run.ts'
import { createAdder, type Adder, type Sums } from './sums.ts'

/** Runs of however many files, each counted once. */
export interface Ledger {
  /** A run that is there already is replaced: rows that share a `run_id` are totals so far, and the latest one holds them all. */
  add(run: Run): void
  /** Adds everything up; call it once, at the end. */
  close(): Accounts
}

/** Everything that was counted. */
export interface Accounts {
  readonly total: Sums
  /** The one with most energy first; none where the runs are not told apart. */
  readonly groups: readonly GroupSums[]
  readonly by: Grouping
  /** Names of all projects that there were, wanted or not. */
  readonly projectNames: ReadonlySet<string>
}

/** What runs are told apart by; the last two are of runs that Prometheus tells of. */
export const groupings = ['project', 'country', 'none', 'instance', 'job'] as const
/** One of {@link groupings}. */
export type Grouping = (typeof groupings)[number]

/** Runs of one group, added up. */
export interface GroupSums extends Sums {
  /** `undefined` for the runs that name none. */
  readonly name: string | undefined
}

const nameIn: Readonly<Record<Exclude<Grouping, 'none'>, (run: Run) => string | undefined>> = {
  project: ({ setting }) => setting.projectName,
  country: ({ setting }) => setting.countryName ?? setting.countryIsoCode,
  instance: ({ scraped }) => scraped?.instance,
  job: ({ scraped }) => scraped?.job,
}

/**
 * An empty ledger. It grows with the number of different run ids and of groups, not with the rows.
 *
 * @param isWanted whether the runs of a project are counted; all are where absent
 */
export function createLedger(
  isWanted: (projectName: string | undefined) => boolean = () => true,
  by: Grouping = 'project',
): Ledger {
  const withRunId = new Map<string, Run>()
  const total = createAdder()
  const groups = new Map<string | undefined, Adder>()
  const projectNames = new Set<string>()

  const count = (run: Run): void => {
    const { projectName } = run.setting
    if (projectName !== undefined) projectNames.add(projectName)
    if (!isWanted(projectName)) return
    total.add(run)
    if (by === 'none') return
    const name = nameIn[by](run)
    const group = groups.get(name) ?? createAdder()
    groups.set(name, group)
    group.add(run)
  }

  return {
    add(run) {
      if (run.runId === undefined) count(run)
      else if (!isOlder(run, withRunId.get(run.runId))) withRunId.set(run.runId, run)
    },
    close() {
      for (const run of withRunId.values()) count(run)
      return {
        total: total.sums(),
        groups: [...groups].map(([name, group]) => ({ name, ...group.sums() })).toSorted(byEnergyThenName),
        by,
        projectNames,
      }
    },
  }
}

/** Of one run the latest row counts, in whatever order its files are named; where rows do not say, the last one. */
const isOlder = (run: Run, known: Run | undefined): boolean =>
  run.timestamp !== undefined && known?.timestamp !== undefined && run.timestamp < known.timestamp

function byEnergyThenName(one: GroupSums, other: GroupSums): number {
  const byEnergy = (other.energy.value ?? -1) - (one.energy.value ?? -1)
  if (byEnergy !== 0) return byEnergy
  return (one.name ?? '') < (other.name ?? '') ? -1 : 1
}
