import type { EmissionsData, TaskEmissionsData } from '../core/emissions-data.ts'
import { emissionsColumns, extendedColumns, taskColumns, toRow } from './csv/columns.ts'

/** A record as JSON has it: numbers as numbers, `null` where nobody could tell. */
export type FlatRecord = Readonly<Record<string, string | number | null>>

/** The record of a run or a task under the names of the columns of the CSV file, ours after those of CodeCarbon; nothing in it is nested. */
export function toFlatRecord(data: EmissionsData | TaskEmissionsData): FlatRecord {
  const row = toRow(data)
  const columns = 'taskName' in data ? taskColumns : emissionsColumns
  return Object.fromEntries([...columns, ...extendedColumns].map((name) => [name, row[name] ?? null]))
}
