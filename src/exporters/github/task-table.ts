import type { TaskEmissionsData } from '../../core/emissions-data.ts'
import { fromKilowattHours } from '../../core/units.ts'
import { formatDuration, formatEnergy, formatMass } from '../text/quantity.ts'
import { escapeMarkdown as escape } from '../../statement/markdown-text.ts'
import { markdownTable } from './markdown.ts'

/** Tasks of one name together. */
interface TaskSum {
  count: number
  seconds: number
  /** kWh; `undefined` while nobody has told any. */
  energy: number | undefined
  /** kg CO2eq. */
  emissions: number | undefined
}

/** Names that are told apart; a careless program may name each task by its time. */
const mostNames = 1000
const mostRows = 10

/** The tasks of a run that used the most, those of one name together. */
export class TaskTable {
  readonly #sums = new Map<string, TaskSum>()
  /** A report may come twice where a process ends while it is being told. */
  readonly #counted = new WeakSet<TaskEmissionsData>()
  #unnamed = 0

  add(tasks: readonly TaskEmissionsData[]): void {
    for (const task of tasks) {
      if (this.#counted.has(task)) continue
      this.#counted.add(task)
      const { givenTaskName: name, duration, energyConsumed, emissions } = task
      let sum = this.#sums.get(name)
      if (sum === undefined && this.#sums.size >= mostNames) {
        this.#unnamed += 1
        continue
      }
      sum ??= { count: 0, seconds: 0, energy: undefined, emissions: undefined }
      sum.count += 1
      sum.seconds += duration
      sum.energy = plus(sum.energy, energyConsumed)
      sum.emissions = plus(sum.emissions, emissions)
      this.#sums.set(name, sum)
    }
  }

  /** Markdown; nothing where there was no task. */
  render(): string[] {
    const sums = [...this.#sums].toSorted(([, a], [, b]) => (b.energy ?? -1) - (a.energy ?? -1))
    if (sums.length === 0) return []
    const table = markdownTable(
      ['Task', 'Times', 'Energy', 'CO2eq', 'Time'],
      ['left', 'right', 'right', 'right', 'right'],
      sums.slice(0, mostRows).map(toRow),
    )
    const left = sums.slice(mostRows).reduce((count, [, sum]) => count + sum.count, this.#unnamed)
    return [table, ...(left > 0 ? [`and ${left} tasks of other names`] : [])]
  }
}

const toRow = ([name, { count, seconds, energy, emissions }]: readonly [string, TaskSum]): string[] => [
  escape(name),
  String(count),
  energy === undefined ? 'unmeasured' : formatEnergy(fromKilowattHours(energy)),
  emissions === undefined ? '' : formatMass(emissions * 1000),
  formatDuration(seconds),
]

const plus = (sum: number | undefined, value: number | undefined): number | undefined =>
  value === undefined ? sum : (sum ?? 0) + value
