import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import type * as CsvParse from 'csv-parse/sync'
import type * as CsvStringify from 'csv-stringify/sync'
import { appendWhole, writeWhole } from '../../files/append.ts'
import { temporaryPath } from '../../files/file-lock.ts'
import { ownRequire } from '../../package-file.ts'
import type { Cell, Row } from './columns.ts'

/** Loaded for what needs quotes, and not before: they take 10 ms, as much as all else at the end of a short program. Not `import()`, for a process that ends cannot wait. */
const csvParse = (): typeof CsvParse => ownRequire()('csv-parse/sync') as typeof CsvParse
const csvStringify = (): typeof CsvStringify => ownRequire()('csv-stringify/sync') as typeof CsvStringify

/** Loads the packages that read and write CSV. */
export function loadCsvPackages(): void {
  csvStringify()
  csvParse()
}

/** Told the new name of a file that is no table of emissions. */
export type OnBackup = (backup: string) => void

/**
 * Appends one row in the order of the file's own header, in one write. The cost does not depend on the length of the file.
 * A file that is missing or empty gets a header; one of an older version without some of the columns is rewritten with them;
 * one that is something else altogether is renamed (`emissions.csv.bak`) and not touched otherwise. Call it under the lock.
 *
 * @throws the error of the file system; the file is then as it was
 */
export function appendRow(path: string, columns: readonly string[], row: Row, onBackup?: OnBackup): void {
  const header = prepare(path, columns, onBackup)
  const newline = header?.newline ?? '\n'
  appendWhole(path, ({ isTorn }) =>
    [
      header === undefined ? formatLine(columns, newline) : isTorn ? newline : '',
      formatLine(order(row, header?.columns ?? columns), newline),
    ].join(''),
  )
}

/**
 * Replaces the last row that has this run's id, or appends one. The file is rewritten beside and put in place in one step, so that a
 * process killed at any instant leaves either the old file or the new one.
 */
export function replaceRow(path: string, columns: readonly string[], row: Row, onBackup?: OnBackup): void {
  const header = prepare(path, columns, onBackup)
  if (header === undefined) {
    appendRow(path, columns, row)
    return
  }
  const lines = splitLines(readFileSync(path, 'latin1'))
  const runId = String(row['run_id'] ?? '')
  const runIdAt = header.columns.indexOf('run_id')
  const mine = lines.findLastIndex(
    (line, index) => index > 0 && line.includes(runId) && parseCells(line)[runIdAt] === runId,
  )
  if (mine < 0) {
    appendRow(path, columns, row)
    return
  }
  lines[mine] = toLatin1(formatLine(order(row, header.columns), header.newline))
  writeBeside(path, lines.join(''))
}

/** A table of one row as text, with line feeds. */
export const toTable = (columns: readonly string[], row: Row): string =>
  formatLine(columns, '\n') + formatLine(order(row, columns), '\n')

interface Header {
  readonly columns: readonly string[]
  readonly newline: string
}

/** Longer than any header of ours or of CodeCarbon by far. */
const maxHeaderBytes = 64 * 1024

/** Makes the file fit to take a row: `undefined` where it is to be started. */
function prepare(
  path: string,
  columns: readonly string[],
  onBackup: OnBackup | undefined,
): Header | undefined {
  const header = readHeader(path)
  if (header === undefined) return undefined
  if (columns.every((column) => header.columns.includes(column))) return header
  const isOurs = header.columns.includes('run_id') && header.columns.includes('emissions')
  if (isOurs) return addColumns(path, header, columns)
  const backup = backupName(path)
  renameSync(path, backup)
  onBackup?.(backup)
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
    const columns = headerCells(line.trimEnd())
    return { columns: columns.map((column) => column.trim()), newline: line.endsWith('\r') ? '\r\n' : '\n' }
  } finally {
    closeSync(file)
  }
}

function headerCells(line: string): readonly string[] {
  if (!line.includes('"')) return line.replace(byteOrderMark, '').split(',')
  // Whoever cannot load the parser must not take a good file for none: that error goes on.
  const parser = csvParse()
  return attempt(() => parseCells(line, parser)) ?? []
}

const byteOrderMark = /^\ufeff/

/** Rewrites a file of an older version with the columns it lacks; its rows keep what they have. */
function addColumns(path: string, header: Header, columns: readonly string[]): Header {
  const extra = header.columns.filter((column) => !columns.includes(column))
  const all = [...columns, ...extra]
  const [, ...lines] = splitLines(readFileSync(path, 'latin1'))
  const rows = lines
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const cells = parseCells(line)
      const row = Object.fromEntries(header.columns.map((column, index) => [column, cells[index]]))
      return formatLine(order(row, all), header.newline)
    })
  writeBeside(path, [toLatin1(formatLine(all, header.newline)), ...rows].join(''))
  return { columns: all, newline: header.newline }
}

/** `emissions.csv.bak`, then `emissions.csv_0.bak` …: the first that is free, as CodeCarbon does it. */
export function backupName(path: string): string {
  let candidate = `${path}.bak`
  for (let count = 0; existsSync(candidate); count += 1) candidate = `${path}_${count}.bak`
  return candidate
}

const order = (row: Row, columns: readonly string[]): readonly Cell[] => columns.map((column) => row[column])

/** What has to stand in quotes. A lone carriage return ends a line for some readers. */
const special = /[",\r\n]/

function formatLine(cells: readonly Cell[], newline: string): string {
  if (!cells.some((cell) => typeof cell === 'string' && special.test(cell))) return cells.join(',') + newline
  return csvStringify().stringify([[...cells]], { record_delimiter: newline, quoted_match: /[\r\n]/ })
}

/**
 * Records of a CSV text with their line ends, to the byte: a line break within quotes ends none. Files are rewritten as Latin-1, in which
 * every byte is a character, so that what other programs wrote stays as it is in whatever encoding.
 */
function splitLines(text: string): string[] {
  const lines: string[] = []
  let begin = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    // A quote opens a cell only where the cell begins; elsewhere it is a letter like any other.
    if (character === '"' && (isQuoted || at === begin || text[at - 1] === ',')) {
      if (isQuoted && text[at + 1] === '"') at += 1
      else isQuoted = !isQuoted
    }
    if (character !== '\n' || isQuoted) continue
    lines.push(text.slice(begin, at + 1))
    begin = at + 1
  }
  if (begin < text.length) lines.push(`${text.slice(begin)}\n`)
  return lines
}

const toLatin1 = (text: string): string => Buffer.from(text).toString('latin1')

function parseCells(line: string, parser = csvParse()): readonly string[] {
  const [cells = []] = parser.parse(line, {
    bom: true,
    relax_quotes: true,
    relax_column_count: true,
    record_delimiter: ['\r\n', '\n'],
  })
  return cells
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    // Not CSV: treated like a header without any column of ours.
    return undefined
  }
}

/** Puts a new content, as Latin-1, in the place of a file in one step, keeping its permissions. */
function writeBeside(path: string, text: string): void {
  const temporary = temporaryPath(path)
  const file = openSync(temporary, 'w')
  try {
    const { mode, uid, gid } = statSync(path)
    if (process.getuid?.() === 0) fchownSync(file, uid, gid)
    fchmodSync(file, mode)
    writeWhole(file, Buffer.from(text, 'latin1'), 0)
    fsyncSync(file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
}
