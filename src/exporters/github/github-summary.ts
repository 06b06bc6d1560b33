import type { EmissionsData } from '../../core/emissions-data.ts'
import type { Exporter, Report, RunView } from '../../core/exporter.ts'
import { totalEnergy } from '../../core/usage.ts'
import { renderRunSection } from './run-section.ts'
import { renderScopes } from './scope-table.ts'
import { appendStepSummary } from './step-summary.ts'
import { TaskTable } from './task-table.ts'

/** Options of {@link createGithubSummary}. */
export interface GithubSummaryOptions {
  /** The file of the step: that of `GITHUB_STEP_SUMMARY`. */
  readonly path: string
  readonly comparisons: (data: EmissionsData) => readonly string[]
  /** Where the figures are explained. */
  readonly documentation?: string | undefined
}

/**
 * Appends a run to the summary of a job of GitHub Actions, once, at its end: energy by component with how it was obtained, emissions with their interval,
 * comparisons, the tasks, jobs and requests that used the most, and problems.
 */
export function createGithubSummary(options: GithubSummaryOptions): Exporter {
  const { path, comparisons, documentation } = options
  const tasks = new TaskTable()
  let look: (() => RunView) | undefined
  let isDone = false

  function write(report: Report): void {
    if (isDone) return
    // A process that goes on after a signal has its end before it, and with it these tasks.
    if (report.reason !== 'signal') tasks.add(report.tasks)
    if (report.reason !== 'stop' && report.reason !== 'exit') return
    isDone = true
    appendStepSummary(
      path,
      renderRunSection({
        data: report.total,
        comparisons: comparisons(report.total),
        commandJoules: commandJoules(report.total, look?.()),
        details: [...tasks.render(), ...renderScopes(report.total)],
        documentation,
      }),
    )
  }

  return {
    name: 'github',
    open(given) {
      look = given
    },
    export: write,
    exportSync: write,
    close() {
      isDone = true
    },
  }
}

/** In process mode the run itself is the command's. */
function commandJoules({ pue, trackingMode }: EmissionsData, view: RunView | undefined): number | undefined {
  if (trackingMode === 'process' || view?.process === undefined) return undefined
  return totalEnergy(view.process).value * pue
}
