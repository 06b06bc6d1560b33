import { toSummary } from '../../exporters/summary.ts'
import type { BudgetLine } from './budget.ts'
import { suiteShares } from './suite-shares.ts'
import { outsideOfFiles, type TestRun } from './test-run.ts'

/** The JSON of `outputFile`, schema 1, as docs/tests.md has it. Units are in the names; `null` is unknown. */
export function toTestRunJson(run: TestRun): object {
  const { vitestVersion, reason, startedAtMs, data, csvPath, files, attribution, budget, problems } = run
  const rest = outsideOfFiles(run)
  return {
    schema: 1,
    vitest: vitestVersion,
    result: reason,
    run: data === undefined ? null : toSummary({ data, startedAtMs, csvPath }),
    files: files
      .toSorted((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0))
      .map((file) => ({
        file: file.file,
        project: file.project === '' ? null : file.project,
        result: file.result,
        duration_seconds: file.seconds,
        energy_joules: file.energyJoules ?? null,
        emissions_g: file.emissionsGrams ?? null,
        attribution,
        ran_alone: file.ranAlone,
        cpu_seconds: file.cpuSeconds ?? null,
        suites: suiteShares(file).map((suite) => ({
          suite: suite.name,
          tests: suite.tests,
          duration_seconds: suite.seconds,
          energy_joules: suite.energyJoules ?? null,
          emissions_g: suite.emissionsGrams ?? null,
        })),
      })),
    outside_of_files: { energy_joules: rest.energyJoules ?? null, emissions_g: rest.emissionsGrams ?? null },
    budget:
      budget === undefined
        ? null
        : {
            uses: budget.uses,
            exceeded: budget.exceeded.map(toLine),
            doubtful: budget.doubtful.map(toLine),
            unknown: budget.unknown,
          },
    problems,
  }
}

const toLine = ({ file, figure, limit, value, low, high }: BudgetLine): object => ({
  file: file ?? null,
  figure: figure === 'energy' ? 'energy_joules' : 'emissions_g',
  limit,
  value,
  low,
  high,
})
