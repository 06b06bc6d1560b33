import type { EmissionsData } from '../../core/emissions-data.ts'
import { fromKilowattHours } from '../../core/units.ts'
import type { FileFigures } from './measured-files.ts'
import type { BudgetUse, FigureBudget, TestBudget } from './reporter-options.ts'

/** A figure that is above its budget, by one end of its interval or another. */
export interface BudgetLine {
  /** `undefined`: that of the whole run. */
  readonly file: string | undefined
  readonly figure: 'energy' | 'emissions'
  /** Joules, or grams of CO2 equivalents. */
  readonly limit: number
  readonly value: number
  readonly low: number
  readonly high: number
}

/** What became of a budget. */
export interface BudgetVerdict {
  readonly uses: BudgetUse
  readonly exceeded: readonly BudgetLine[]
  /** The figure is above the budget, and the end of the interval that counts is not. */
  readonly doubtful: readonly BudgetLine[]
  /** What nothing can be said of, or not all, in words: unmeasured is not zero, and neither above nor below. */
  readonly unknown: readonly string[]
}

interface Interval {
  readonly value: number
  readonly low: number
  readonly high: number
}

type Figures = Readonly<Record<BudgetLine['figure'], Interval | undefined>>

/**
 * Compares what was used with what may be. The interval of a file is that of the run in proportion; how exactly the run's energy was shared among the files
 * is not in it. Pure.
 */
export function checkBudget(
  budget: TestBudget,
  uses: BudgetUse,
  data: EmissionsData | undefined,
  files: readonly FileFigures[],
): BudgetVerdict {
  const run = figuresOfRun(data)
  const over: BudgetLine[] = []
  const unknown: string[] = []
  over.push(...linesOver(budget, run, undefined))
  for (const figure of ['energy', 'emissions'] as const) {
    if (limitOf(budget, figure) !== undefined && run[figure] === undefined)
      unknown.push(`the ${figure} of the run: nothing could be measured`)
  }
  const { perFile } = budget
  if (perFile !== undefined) {
    for (const file of files) over.push(...linesOver(perFile, figuresOfFile(file, run), file.file))
    const unmeasured = files.filter(({ energyJoules }) => energyJoules === undefined).length
    if (unmeasured > 0) unknown.push(`${unmeasured} of ${files.length} files, of which nothing is known`)
  }
  const missing = (data?.components ?? []).filter(({ method }) => method === 'unmeasured')
  if (run.energy !== undefined && missing.length > 0)
    unknown.push(`what is not in the total: ${missing.map(({ component }) => component).join(', ')}`)
  return {
    uses,
    exceeded: over.filter((line) => line[uses] > line.limit),
    doubtful: over.filter((line) => line[uses] <= line.limit && line.value > line.limit),
    unknown,
  }
}

/** `energy of test/a.test.ts 12 J: 2 J (20 %) above the 10 J allowed`, by the end of the interval that counts, in the units of the options. */
export function describeLine(line: BudgetLine, uses: BudgetUse): string {
  const { file, figure, limit } = line
  const format = (value: number): string =>
    `${Number(value.toPrecision(4))} ${figure === 'energy' ? 'J' : 'g'}`
  const counted = line[uses]
  const end =
    uses === 'value' || line.low === line.high
      ? ''
      : `, at ${uses === 'low' ? 'least' : 'most'} ${format(counted)}`
  const percent = limit > 0 ? ` (${Math.round((100 * (counted - limit)) / limit)} %)` : ''
  const above = counted > limit ? `: ${format(counted - limit)}${percent} above` : ': perhaps above'
  return `${figure}${file === undefined ? '' : ` of ${file}`} ${format(line.value)}${end}${above} the ${format(limit)} allowed`
}

const linesOver = (budget: FigureBudget, figures: Figures, file: string | undefined): BudgetLine[] =>
  (['energy', 'emissions'] as const).flatMap((figure) => {
    const limit = limitOf(budget, figure)
    const interval = figures[figure]
    return limit === undefined || interval === undefined || interval.high <= limit
      ? []
      : [{ file, figure, limit, ...interval }]
  })

const limitOf = (
  { energyJoules, emissionsGrams }: FigureBudget,
  figure: BudgetLine['figure'],
): number | undefined => (figure === 'energy' ? energyJoules : emissionsGrams)

function figuresOfRun(data: EmissionsData | undefined): Figures {
  const energy = data?.energyConsumed
  const mass = data?.emissions
  return {
    energy:
      energy === undefined
        ? undefined
        : {
            value: fromKilowattHours(energy),
            low: fromKilowattHours(data?.energyLow ?? energy),
            high: fromKilowattHours(data?.energyHigh ?? energy),
          },
    emissions:
      mass === undefined
        ? undefined
        : {
            value: mass * 1000,
            low: (data?.emissionsLow ?? mass) * 1000,
            high: (data?.emissionsHigh ?? mass) * 1000,
          },
  }
}

const figuresOfFile = ({ energyJoules, emissionsGrams }: FileFigures, run: Figures): Figures => ({
  energy: inProportion(energyJoules, run.energy),
  emissions: inProportion(emissionsGrams, run.emissions),
})

function inProportion(value: number | undefined, run: Interval | undefined): Interval | undefined {
  if (value === undefined) return undefined
  if (run === undefined || run.value <= 0) return { value, low: value, high: value }
  return { value, low: (value * run.low) / run.value, high: (value * run.high) / run.value }
}
