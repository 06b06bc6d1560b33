import type { EmissionsData } from '../../core/emissions-data.ts'
import { fromKilowattHours } from '../../core/units.ts'
import type { BudgetVerdict } from './budget.ts'
import type { FileAttribution, FileFigures } from './measured-files.ts'
import type { RunReason } from './vitest-parts.ts'

/** A run of tests that has ended, and what it has used. */
export interface TestRun {
  readonly vitestVersion: string
  readonly reason: RunReason
  readonly startedAtMs: number
  /** `undefined` where the tracker could not be started. */
  readonly data: EmissionsData | undefined
  readonly csvPath: string | undefined
  readonly files: readonly FileFigures[]
  readonly attribution: FileAttribution
  /** `undefined` where there is no budget. */
  readonly budget: BudgetVerdict | undefined
  /** What went wrong, each once. */
  readonly problems: readonly string[]
}

/** What {@link outsideOfFiles} is called for people. */
export function outsideName({ attribution, files }: Pick<TestRun, 'attribution' | 'files'>): string {
  const none = attribution === 'exact' ? 'by no file' : 'while no file ran'
  const unknown = files.filter(({ energyJoules }) => energyJoules === undefined)
  const [first] = unknown
  if (first === undefined) return none
  return `${unknown.length === 1 ? first.file : `in ${unknown.length} unmeasured files`}, and ${none}`
}

/** How files share what was used while several ran, where several did. */
export function sharingNote({ attribution, files }: Pick<TestRun, 'attribution' | 'files'>): string[] {
  if (attribution === 'exact') return ['files have what the CPU time of their workers is worth']
  return files.every(({ ranAlone }) => ranAlone)
    ? []
    : ['files that ran at the same time share it in equal parts']
}

/** Joules and grams of what was used by no file: starting workers, transforming, waiting. */
export function outsideOfFiles({ data, files }: Pick<TestRun, 'data' | 'files'>): {
  readonly energyJoules: number | undefined
  readonly emissionsGrams: number | undefined
} {
  const rest = (total: number | undefined, figures: readonly (number | undefined)[]): number | undefined =>
    total === undefined
      ? undefined
      : Math.max(
          0,
          figures.reduce<number>((left, used) => left - (used ?? 0), total),
        )
  const { energyConsumed, emissions } = data ?? {}
  return {
    energyJoules: rest(
      energyConsumed === undefined ? undefined : fromKilowattHours(energyConsumed),
      files.map(({ energyJoules }) => energyJoules),
    ),
    emissionsGrams: rest(
      emissions === undefined ? undefined : emissions * 1000,
      files.map(({ emissionsGrams }) => emissionsGrams),
    ),
  }
}

/** The files that used the most, and how much the others used together. */
export function mostOf(
  files: readonly FileFigures[],
  count: number,
): {
  readonly most: readonly FileFigures[]
  readonly others: { readonly count: number; readonly energyJoules: number; readonly emissionsGrams: number }
} {
  const known = files.filter(({ energyJoules }) => energyJoules !== undefined)
  const sorted = known.toSorted((a, b) => (b.energyJoules ?? 0) - (a.energyJoules ?? 0))
  const others = sorted.slice(count)
  return {
    most: sorted.slice(0, count),
    others: {
      count: others.length,
      energyJoules: others.reduce((sum, { energyJoules = 0 }) => sum + energyJoules, 0),
      emissionsGrams: others.reduce((sum, { emissionsGrams = 0 }) => sum + emissionsGrams, 0),
    },
  }
}
