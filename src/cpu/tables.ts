import { readFileSync } from 'node:fs'
import { packageFile } from '../package-file.ts'

/** How sure a TDP is: from the maker, from a list that was checked, or guessed from a sibling. */
export type Confidence = 'high' | 'medium' | 'low'

/** A row of `data/cpu-tdp.json` as it is stored; unknown cells are null, or left off at the end. */
export type CpuRow = readonly [
  name: string,
  tdpWatts: number,
  confidence: Confidence,
  source: string,
  year?: number | null,
  cores?: number | null,
  threads?: number | null,
  tdpMaxWatts?: number | null,
]

/** A row of `data/cpu-microarchitectures.json` as it is stored. */
export type MicroarchitectureRow = readonly [
  vendor: 'GenuineIntel' | 'AuthenticAMD' | 'ARM',
  family: number | null,
  model: number,
  steppingFrom: number | null,
  steppingTo: number | null,
  microarchitecture: string,
  codename: string,
  segment: 'client' | 'server' | 'both',
  idleWattsPerThread: number | null,
  fullWattsPerThread: number | null,
  wattsBasis: 'measured' | 'tdp' | null,
  source: string,
  wattsSource?: string | null,
]

/** The processors by name. Only the rows that are asked for are parsed: a name is looked up once in a program's life. */
export interface CpuTable {
  /** The row of exactly this name but for case. */
  named(name: string): CpuRow | undefined
  /** The rows with this text, in lower case, in their names. */
  holding(text: string): Iterable<CpuRow>
  /** The title of a source id. */
  sourceTitle(id: string): string
}

/** The microarchitectures. */
export interface MicroarchitectureTable {
  readonly rows: readonly MicroarchitectureRow[]
  /** The title of a source id. */
  sourceTitle(id: string): string
}

let cpus: CpuTable | undefined
let microarchitectures: MicroarchitectureTable | undefined

/** Reads `data/cpu-tdp.json` at the first call. */
export function cpuTable(): CpuTable {
  return (cpus ??= createCpuTable(readTable('cpu-tdp')))
}

/** Reads `data/cpu-microarchitectures.json` at the first call. */
export function microarchitectureTable(): MicroarchitectureTable {
  return (microarchitectures ??= createMicroarchitectureTable(readTable('cpu-microarchitectures')))
}

const readTable = (name: string): string => readFileSync(packageFile(`data/${name}.json`), 'utf8')

interface TableFile {
  readonly rows: readonly unknown[]
  readonly sources: Readonly<Record<string, { readonly title: string }>>
}

function createMicroarchitectureTable(text: string): MicroarchitectureTable {
  const { rows, sources } = JSON.parse(text) as TableFile
  return { rows: rows as MicroarchitectureRow[], sourceTitle: (id) => sources[id]?.title ?? id }
}

/**
 * `scripts/build-data.js` writes one row to a line, names first and without escapes. Finding lines in the text and parsing
 * those takes a quarter of the time of parsing all six thousand.
 */
function createCpuTable(text: string): CpuTable {
  const start = text.indexOf('"rows": [')
  const firstRow = text.indexOf('\n', start)
  const end = text.lastIndexOf('\n  ]')
  const { sources } = JSON.parse(`${text.slice(0, start)}"rows": []}`) as TableFile
  // ASCII, so that both texts have the same positions.
  const searched = text.toLowerCase()

  const lineAt = (position: number): { row: CpuRow; next: number } => {
    const from = text.lastIndexOf('\n', position) + 1
    const next = text.indexOf('\n', position)
    return { row: JSON.parse(text.slice(from, next).replace(/,$/, '')) as CpuRow, next }
  }

  return {
    named(name) {
      const position = searched.indexOf(`[${JSON.stringify(name.toLowerCase())},`, firstRow)
      return position < 0 ? undefined : lineAt(position).row
    },
    *holding(word) {
      let position = searched.indexOf(word, firstRow)
      while (position >= 0 && position < end) {
        const { row, next } = lineAt(position)
        // The text may also stand in another column.
        if (row[0].toLowerCase().includes(word)) yield row
        position = searched.indexOf(word, next)
      }
    },
    sourceTitle: (id) => sources[id]?.title ?? id,
  }
}
