import { readFileSync } from 'node:fs'
import { packageFile } from '../package-file.ts'

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

/** Yearly carbon intensity of a country, or of a state or province where `regionCode` says so. */
export interface GridRow {
  readonly countryIsoCode: string
  readonly regionCode: string | undefined
  readonly gramsPerKwh: number
  readonly year: number
  readonly basis: 'lifecycle' | 'direct'
  readonly quality: 'ok' | 'derived' | 'low'
  readonly source: string
}

/** A cloud region. It has a carbon intensity of its own where its provider publishes one. */
export interface CloudRegionRow {
  readonly cloudProvider: string
  readonly cloudRegion: string
  readonly countryIsoCode: string
  readonly regionCode: string | undefined
  /** The zone of Electricity Maps that the region lies in. */
  readonly electricityMapsZone: string
  readonly gramsPerKwh: number | undefined
  readonly year: number | undefined
  readonly basis: 'lifecycle' | 'direct' | undefined
  readonly source: string | undefined
  readonly pue: number | undefined
  readonly wueLitresPerKwh: number | undefined
  readonly pueYear: number | undefined
  readonly pueSource: string | undefined
}

/** A country (`code` is its alpha-2 code) or a state or province (`code` is its ISO 3166-2 code). */
export interface PlaceRow {
  readonly countryIsoCode: string
  readonly code: string | undefined
  readonly name: string
  /** Other spellings, separated by `|`. */
  readonly alternatives: string | undefined
}

/** The country that a time zone is of. */
export interface TimeZoneRow {
  readonly zone: string
  readonly countryIsoCode: string
}

/** Something that people can picture, and its emissions (`g`) or energy (`kWh`). */
export interface ComparisonRow {
  readonly key: string
  readonly value: number
  readonly unit: 'g' | 'kWh'
  readonly per: string
  readonly year: number
  readonly source: string
  readonly note: string
}

export const gridTable: () => Table<GridRow> = lazyTable('grid-intensity')
export const cloudTable: () => Table<CloudRegionRow> = lazyTable('cloud-regions')
export const placeTable: () => Table<PlaceRow> = lazyTable('places')
export const timeZoneTable: () => Table<TimeZoneRow> = lazyTable('time-zones')
export const comparisonTable: () => Table<ComparisonRow> = lazyTable('comparisons')

/** Reads the table at the first call; `scripts/build-data.js` has checked it against the row's type. */
function lazyTable<Row>(name: string): () => Table<Row> {
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
