/**
 * A reporter of Vitest that tells the energy and emissions of tests.
 * @module codecarbon/vitest
 */
export { CarbonReporter } from './carbon-reporter.ts'
export type { FileAttribution } from './measured-files.ts'
export type { BudgetUse, CarbonReporterOptions, FigureBudget, TestBudget } from './reporter-options.ts'
export type { RunReason, TestCase, TestFile, TestParent, VitestContext } from './vitest-parts.ts'
// oxlint-disable-next-line import/no-default-export -- what Vitest loads from `reporters: ['codecarbon/vitest']`
export { CarbonReporter as default } from './carbon-reporter.ts'
