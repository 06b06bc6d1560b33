import { nearest } from '../../config/nearest.ts'
import { ConfigError } from '../../core/errors.ts'
import type { TrackerOptions } from '../../tracker.ts'
import type { FileAttribution } from './measured-files.ts'

/** The most that may be used. */
export interface FigureBudget {
  readonly energyJoules?: number | undefined
  /** Location-based emissions in grams of CO2 equivalents. */
  readonly emissionsGrams?: number | undefined
}

/** The most that a run of tests, and each of its files, may use. */
export interface TestBudget extends FigureBudget {
  readonly perFile?: FigureBudget | undefined
}

/** Which end of the interval around a figure has to be above a budget for that to be exceeded. */
export type BudgetUse = (typeof budgetUses)[number]
const budgetUses = ['low', 'value', 'high'] as const

/** Options of the reporter. */
export interface CarbonReporterOptions {
  /**
   * Options of the tracker, over those of files and variables. Where none of them says how often to measure, it is each second.
   */
  readonly tracking?: TrackerOptions | undefined
  /**
   * - `shared`: files that run at the same time share what is used in that time in equal parts
   * - `exact`: by the CPU time of their workers, which the setup file `codecarbon/vitest/cpu-time` notes; files without it are unmeasured
   *
   * @default 'shared'
   */
  readonly attribution?: FileAttribution | undefined
  /** The run fails where it is exceeded; not where nothing could be measured, nor in watch mode, which only say so. */
  readonly budget?: TestBudget | undefined
  /**
   * - `low`: a budget is exceeded where that is certain, as the low end of the interval is above it; a warning says where only the figure is
   * - `value`: where the figure itself is
   * - `high`: where it may be, as the high end is
   *
   * @default 'low'
   */
  readonly budgetUses?: BudgetUse | undefined
  /** Write the figures of run, files and suites as JSON to this file, relative to Vitest's root. */
  readonly outputFile?: string | undefined
  /** Add them to the summary of the job of GitHub Actions that this is, if it is one. @default true */
  readonly githubSummary?: boolean | undefined
}

const attributions = ['shared', 'exact']
const optionNames = ['tracking', 'attribution', 'budget', 'budgetUses', 'outputFile', 'githubSummary']
const figureNames = ['energyJoules', 'emissionsGrams']

/** @throws ConfigError for a wrong option of the reporter's own; those of the tracker it checks itself */
export function checkReporterOptions(options: unknown): void {
  if (options === undefined) return
  const {
    tracking,
    attribution,
    budget,
    budgetUses: use,
    outputFile,
    githubSummary,
  } = checkNames('', options, optionNames)
  if (tracking !== undefined) toObject('tracking', tracking)
  if (attribution !== undefined && !attributions.includes(attribution as string))
    throw wrong('attribution', `one of ${attributions.join(', ')}`, attribution)
  if (budget !== undefined) {
    const { perFile, ...whole } = checkNames('budget.', budget, [...figureNames, 'perFile'])
    checkFigures('budget.', whole)
    if (perFile !== undefined)
      checkFigures('budget.perFile.', checkNames('budget.perFile.', perFile, figureNames))
  }
  if (use !== undefined && !budgetUses.includes(use as BudgetUse))
    throw wrong('budgetUses', `one of ${budgetUses.join(', ')}`, use)
  if (outputFile !== undefined && (typeof outputFile !== 'string' || outputFile === ''))
    throw wrong('outputFile', 'the path of a file', outputFile)
  if (githubSummary !== undefined && typeof githubSummary !== 'boolean')
    throw wrong('githubSummary', 'true or false', githubSummary)
}

function checkNames(path: string, given: unknown, known: readonly string[]): Record<string, unknown> {
  const object = toObject(path === '' ? 'options' : path.slice(0, -1), given)
  for (const name of Object.keys(object)) {
    if (known.includes(name)) continue
    const near = nearest(name, known)
    const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean ${path}${near}?`
    throw new ConfigError(`codecarbon/vitest: there is no option ${path}${name}; ${hint}`)
  }
  return object
}

function checkFigures(path: string, figures: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(figures)) {
    if (value !== undefined && !(typeof value === 'number' && Number.isFinite(value) && value >= 0))
      throw wrong(`${path}${name}`, 'a number of at least 0', value)
  }
}

function toObject(name: string, value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(name, 'an object', value)
  return value as Record<string, unknown>
}

const wrong = (name: string, expected: string, value: unknown): ConfigError =>
  new ConfigError(
    `codecarbon/vitest: option ${name}: expected ${expected}, got ${typeof value === 'string' ? `"${value}"` : typeof value === 'number' ? value : value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value}`,
  )
