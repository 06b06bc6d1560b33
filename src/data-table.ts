import { readFileSync } from 'node:fs'
import { packageFile } from './package-file.ts'

/** Where rows of a table come from. */
export interface TableSource {
  readonly title: string
  readonly note: string | null
  readonly url: string | null
  /** Date of retrieval, `YYYY-MM-DD`. */
  readonly retrieved: string
  readonly licence: string
  readonly attribution: string | null
}

/** A table of `data/`, with rows as objects. */
export interface Table<Row> {
  readonly rows: readonly Row[]
  readonly sources: Readonly<Record<string, TableSource>>
}

/** Reads the table at the first call; `scripts/build-data.js` has checked it against the row's type. */
export function lazyTable<Row>(name: string): () => Table<Row> {
  let table: Table<Row> | undefined
  return () => (table ??= readTable<Row>(name))
}

interface TableFile {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
  readonly sources: Table<never>['sources']
}

function readTable<Row>(name: string): Table<Row> {
  const text = readFileSync(packageFile(`data/${name}.json`), 'utf8')
  const { columns, rows, sources } = JSON.parse(text) as TableFile
  const toRow = (cells: readonly unknown[]): Row =>
    Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? undefined])) as Row
  return { rows: rows.map(toRow), sources }
}
