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
  /** The one with most energy first. */
  readonly projects: readonly ProjectSums[]
  /** Names of all projects that there were, wanted or not. */
  readonly projectNames: ReadonlySet<string>
}

/** Runs of one project, added up. */
export interface ProjectSums extends Sums {
  /** `undefined` for the runs that name none. */
  readonly projectName: string | undefined
}

/**
 * An empty ledger. It grows with the number of different run ids and of projects, not with the rows.
 *
 * @param isWanted whether the runs of a project are counted; all are where absent
 */
export function createLedger(isWanted: (projectName: string | undefined) => boolean = () => true): Ledger {
  const withRunId = new Map<string, Run>()
  const total = createAdder()
  const projects = new Map<string | undefined, Adder>()
  const projectNames = new Set<string>()

  const count = (run: Run): void => {
    const { projectName } = run.setting
    if (projectName !== undefined) projectNames.add(projectName)
    if (!isWanted(projectName)) return
    const project = projects.get(projectName) ?? createAdder()
    projects.set(projectName, project)
    project.add(run)
    total.add(run)
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
        projects: [...projects]
          .map(([projectName, project]) => ({ projectName, ...project.sums() }))
          .toSorted(byEnergyThenName),
        projectNames,
      }
    },
  }
}

/** Of one run the latest row counts, in whatever order its files are named; where rows do not say, the last one. */
const isOlder = (run: Run, known: Run | undefined): boolean =>
  run.timestamp !== undefined && known?.timestamp !== undefined && run.timestamp < known.timestamp

function byEnergyThenName(one: ProjectSums, other: ProjectSums): number {
  const byEnergy = (other.energy.value ?? -1) - (one.energy.value ?? -1)
  if (byEnergy !== 0) return byEnergy
  return (one.projectName ?? '') < (other.projectName ?? '') ? -1 : 1
}
