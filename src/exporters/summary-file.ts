import type { Exporter, Report } from '../core/exporter.ts'
import { toSummary } from './summary.ts'
import { placeFromHere, writeWholeFile } from '../files/whole-file.ts'

/** Options of {@link createSummaryExporter}. */
export interface SummaryExporterOptions {
  /** The file; relative to the working directory. */
  readonly path: string
  /** Where the rows of the run go. */
  readonly csvPath: () => string | undefined
}

/** Writes the figures of the run so far as JSON (schema 1) at each flush and at the end. */
export function createSummaryExporter({ path, csvPath }: SummaryExporterOptions): Exporter {
  const file = placeFromHere(path)
  const startedAtMs = Date.now()
  const write = ({ reason, total }: Report): void => {
    if (reason !== 'live') writeSummaryFile(file, toSummary({ data: total, startedAtMs, csvPath: csvPath() }))
  }
  return { name: 'summary', export: write, exportSync: write }
}

/** Writes a summary. @throws EnergyError ERR_EXPORT_FAILED where it cannot be written */
export function writeSummaryFile(path: string, summary: object): void {
  writeWholeFile(path, `${JSON.stringify(summary, undefined, 2)}\n`)
}
