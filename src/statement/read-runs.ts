import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { CsvError, parse } from 'csv-parse'
import { EnergyError, messageOf } from '../core/errors.ts'
import { createRunParser, type Run, type RunParser, type Settings } from './run.ts'

/** Rows of a file that could not be taken for runs. */
export interface SkippedRows {
  readonly rows: number
  /** Line of the first of them, counted from 1. */
  readonly firstLine: number
  /** What was wrong with that one. */
  readonly reason: string
}

/** Longer than any row by far: a quote that is never closed must not fill the memory. */
const maxRowBytes = 2 ** 20

/**
 * Hands over the runs of one CSV file, row by row, so that the length of the file does not matter. A header that comes again, as in files that
 * were put one behind the other, is taken for what it is.
 *
 * @param settings shared by all files, so that equal settings are one object
 * @returns the rows that were skipped, if any
 * @throws EnergyError ERR_FILE_UNREADABLE where the file cannot be read, or is no table of runs
 */
export async function readRuns(
  path: string,
  settings: Settings,
  add: (run: Run) => void,
): Promise<SkippedRows | undefined> {
  let parseRun: RunParser | undefined
  let skipped: SkippedRows | undefined
  let lastLine = 0
  const skip = (firstLine: number, reason: string): void => {
    skipped = skipped === undefined ? { rows: 1, firstLine, reason } : { ...skipped, rows: skipped.rows + 1 }
  }
  const take = (cells: readonly string[], line: number): void => {
    lastLine = line
    if (parseRun === undefined || isHeader(cells)) {
      parseRun = createRunParser(checkedHeader(cells, path), settings)
      return
    }
    const run = parseRun(cells)
    if ('reason' in run) skip(line, run.reason)
    else add(run)
  }

  try {
    await pipeline(createReadStream(path), createParser(take))
  } catch (error) {
    // The last row of a program that was killed while it wrote.
    if (parseRun === undefined || !isUnclosed(error)) throw unreadable(path, error)
    skip(lastLine + 1, 'a quote is never closed, and what follows it is not counted')
  }
  if (parseRun === undefined) throw refused(path, `it is empty, expected ${whatIsExpected}`)
  return skipped
}

/** Calls `take` as rows are parsed and lets none of them through, so that an error loses none that stood before it. */
function createParser(take: (cells: readonly string[], line: number) => void): ReturnType<typeof parse> {
  const parser = parse({
    bom: true,
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: maxRowBytes,
    on_record: (cells: string[], { lines }) => {
      take(cells, lines)
      return undefined
    },
  })
  return parser.resume()
}

const isHeader = (cells: readonly string[]): boolean =>
  cells.includes('emissions') && cells.includes('duration')

const whatIsExpected = 'a CSV file of runs, with a column `emissions` in its first line'

function checkedHeader(cells: readonly string[], path: string): readonly string[] {
  const columns = cells.map((cell) => cell.trim())
  if (columns.includes('task_name')) {
    throw refused(path, 'it holds tasks, which are parts of the runs in another file: leave it out')
  }
  if (columns.includes('emissions')) return columns
  const [only = ''] = columns
  const separator = columns.length === 1 ? /[;\t]/.exec(only)?.[0] : undefined
  const hint = separator === undefined ? '' : ', its cells parted by commas'
  throw refused(path, `it is no table of runs, expected ${whatIsExpected}${hint}`)
}

function unreadable(path: string, error: unknown): Error {
  if (error instanceof EnergyError) return error
  if (isCsvError(error)) return refused(path, `it is no table of runs, expected ${whatIsExpected}`, error)
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return refused(path, 'there is no such file', error)
  if (code === 'EISDIR') return refused(path, `it is a folder, expected ${whatIsExpected}`, error)
  return refused(path, messageOf(error), error)
}

/** A quote that is never closed: at the end of a short file, or a row longer than any. */
const isUnclosed = (error: unknown): boolean =>
  isCsvError(error, 'CSV_QUOTE_NOT_CLOSED') || isCsvError(error, 'CSV_MAX_RECORD_SIZE')

const isCsvError = (error: unknown, code?: CsvError['code']): boolean =>
  error instanceof CsvError && (code === undefined || error.code === code)

const refused = (path: string, reason: string, cause?: unknown): EnergyError =>
  new EnergyError('ERR_FILE_UNREADABLE', `${path} cannot be read: ${reason}`, { cause })
