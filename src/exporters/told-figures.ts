import type { EmissionsData } from '../core/emissions-data.ts'
import { metricsOf, parametersOf, steadyMetrics, type Facts, type Figures } from './run-figures.ts'

/** Figures and facts of a run, as far as they have not been told. */
export interface NewFigures {
  /** Totals so far and mean powers since the last time. */
  readonly metrics: Figures
  /** Facts that are new or have changed. */
  readonly parameters: Facts
}

/** What figures of one run a tracker of experiments has been told. */
export interface ToldFigures {
  /** The run when it was told of last; `undefined` before the first time. */
  readonly last: EmissionsData | undefined
  /** What is new in it. */
  newIn(total: EmissionsData): NewFigures
  /** That was told. */
  note(total: EmissionsData, told: NewFigures): void
}

export function createToldFigures(): ToldFigures {
  let last: EmissionsData | undefined
  let metrics: Figures = {}
  let parameters: Facts = {}
  return {
    get last() {
      return last
    },
    newIn: (total) => ({
      metrics: changed(metricsOf(total, last), metrics, steadyMetrics),
      parameters: changed(parametersOf(total), parameters),
    }),
    note(total, told) {
      last = total
      metrics = { ...metrics, ...told.metrics }
      parameters = { ...parameters, ...told.parameters }
    },
  }
}

/** Those that are new; of those that are not steady, all. */
function changed<T>(
  values: Readonly<Record<string, T>>,
  before: Readonly<Record<string, T>>,
  steady?: ReadonlySet<string>,
): Readonly<Record<string, T>> {
  return Object.fromEntries(
    Object.entries(values).filter(
      ([name, value]) => (steady !== undefined && !steady.has(name)) || before[name] !== value,
    ),
  )
}
