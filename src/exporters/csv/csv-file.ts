import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, parse as parsePath } from 'node:path'
import type * as CsvParse from 'csv-parse/sync'
import type * as CsvStringify from 'csv-stringify/sync'
import type { Cell, Row } from './columns.ts'

/** Loaded when a file is written or rewritten, and not before: starting a tracker stays cheap. Not `import()`, for a process that ends cannot wait. */
const require = createRequire(import.meta.url)
const csvParse = (): typeof CsvParse => require('csv-parse/sync') as typeof CsvParse
const csvStringify = (): typeof CsvStringify => require('csv-stringify/sync') as typeof CsvStringify

/**
 * Appends one row in the order of the file's own header, in one write. The cost does not depend on the length of the file.
 * A file that is missing or empty gets a header; one of an older version without some of the columns is rewritten with them;
 * one that is something else altogether is renamed (`emissions.csv.bak`) and not touched otherwise. Call it under the lock.
 *
 * @throws the error of the file system; the file is then as it was
 */
export function appendRow(path: string, columns: readonly string[], row: Row): void {
  const header = prepare(path, columns)
  const file = openSync(path, 'a+')
  try {
    const { size } = fstatSync(file)
    const newline = header?.newline ?? '\n'
    const isTorn = size > 0 && byteAt(file, size - 1) !== 10
    const text = [
      header === undefined ? formatLine(columns, newline) : isTorn ? newline : '',
      formatLine(order(row, header?.columns ?? columns), newline),
    ].join('')
    writeWhole(file, text, size)
  } finally {
    closeSync(file)
  }
}

/**
 * Replaces the last row that has this run's id, or appends one. The file is rewritten beside and put in place in one step, so that a
 * process killed at any instant leaves either the old file or the new one.
 */
export function replaceRow(path: string, columns: readonly string[], row: Row): void {
  const header = prepare(path, columns)
  if (header === undefined) {
    appendRow(path, columns, row)
    return
  }
  const lines = parseLines(readFileSync(path, 'utf8'))
  const runIdAt = header.columns.indexOf('run_id')
  const mine = lines.findLastIndex(
    (line, index) => index > 0 && line.cells[runIdAt] === String(row['run_id'] ?? ''),
  )
  if (mine < 0) {
    appendRow(path, columns, row)
    return
  }
  const text = lines
    .map((line, index) =>
      index === mine ? formatLine(order(row, header.columns), header.newline) : line.raw,
    )
    .join('')
  writeBeside(path, text)
}

interface Header {
  readonly columns: readonly string[]
  readonly newline: string
}

/** Longer than any header of ours or of CodeCarbon by far. */
const maxHeaderBytes = 64 * 1024

/** Makes the file fit to take a row: `undefined` where it is to be started. */
function prepare(path: string, columns: readonly string[]): Header | undefined {
  const header = readHeader(path)
  if (header === undefined) return undefined
  if (columns.every((column) => header.columns.includes(column))) return header
  const isOurs = header.columns.includes('run_id') && header.columns.includes('emissions')
  if (isOurs) return addColumns(path, header, columns)
  renameSync(path, backupName(path))
  return undefined
}

function readHeader(path: string): Header | undefined {
  if (!existsSync(path)) return undefined
  const file = openSync(path, 'r')
  try {
    const start = Buffer.alloc(maxHeaderBytes)
    const length = readSync(file, start, 0, maxHeaderBytes, 0)
    if (length === 0) return undefined
    const text = start.toString('utf8', 0, length)
    const end = text.indexOf('\n')
    const line = end < 0 ? text : text.slice(0, end)
    const [columns = []] = attempt(() => parseCells(line)) ?? []
    return { columns: columns.map((column) => column.trim()), newline: line.endsWith('\r') ? '\r\n' : '\n' }
  } finally {
    closeSync(file)
  }
}

/** Rewrites a file of an older version with the columns it lacks; its rows keep what they have. */
function addColumns(path: string, header: Header, columns: readonly string[]): Header {
  const extra = header.columns.filter((column) => !columns.includes(column))
  const all = [...columns, ...extra]
  const [, ...lines] = parseLines(readFileSync(path, 'utf8'))
  const rows = lines
    .filter((line) => line.cells.some((cell) => cell !== ''))
    .map((line) => {
      const row: Record<string, Cell> = {}
      for (const [index, column] of header.columns.entries()) row[column] = line.cells[index]
      return formatLine(order(row, all), header.newline)
    })
  writeBeside(path, [formatLine(all, header.newline), ...rows].join(''))
  return { columns: all, newline: header.newline }
}

/** `emissions.csv.bak`, then `emissions.csv_0.bak` …: the first that is free, as CodeCarbon does it. */
export function backupName(path: string): string {
  let candidate = `${path}.bak`
  for (let count = 0; existsSync(candidate); count += 1) candidate = `${path}_${count}.bak`
  return candidate
}

const order = (row: Row, columns: readonly string[]): readonly Cell[] => columns.map((column) => row[column])

function formatLine(cells: readonly Cell[], newline: string): string {
  return csvStringify().stringify([[...cells]], { record_delimiter: newline })
}

interface Line {
  readonly cells: readonly string[]
  /** The text it was read from, to the byte. */
  readonly raw: string
}

function parseLines(text: string): Line[] {
  const parsed = csvParse().parse(text, {
    raw: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: false,
  }) as unknown as { record: string[]; raw: string }[]
  return parsed.map(({ record, raw }) => ({ cells: record, raw: raw.endsWith('\n') ? raw : `${raw}\n` }))
}

function parseCells(line: string): string[][] {
  return csvParse().parse(line, {
    bom: true,
    relax_quotes: true,
    relax_column_count: true,
  })
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    // Not CSV: treated like a header without any column of ours.
    return undefined
  }
}

function byteAt(file: number, position: number): number | undefined {
  const byte = Buffer.alloc(1)
  return readSync(file, byte, 0, 1, position) === 1 ? byte[0] : undefined
}

/** Writes all or nothing: what a full disk cut short is taken back. */
function writeWhole(file: number, text: string, size: number): void {
  const bytes = Buffer.from(text)
  try {
    const written = writeSync(file, bytes)
    if (written === bytes.length) return
    throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' })
  } catch (error) {
    ftruncateSync(file, size)
    throw error
  }
}

/** Puts a new content in the place of a file in one step, keeping its permissions; a link stays a link. */
function writeBeside(path: string, text: string): void {
  const target = realpathSync(path)
  const temporary = join(dirname(target), `.${parsePath(target).base}.${process.pid}.tmp`)
  const file = openSync(temporary, 'w')
  try {
    writeWhole(file, text, 0)
    const original = openSync(target, 'r')
    chmodSync(temporary, fstatSync(original).mode)
    closeSync(original)
    fsyncSync(file)
    closeSync(file)
    renameSync(temporary, target)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}
