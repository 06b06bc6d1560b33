import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { EnergyError, messageOf } from '../core/errors.ts'
import type { Exporter, Report } from '../core/exporter.ts'
import { makeDirectory } from './make-directory.ts'
import { toSummary } from './summary.ts'

/** Options of {@link createSummaryExporter}. */
export interface SummaryExporterOptions {
  /** The file; relative to the working directory. */
  readonly path: string
  /** Where the rows of the run go. */
  readonly csvPath: () => string | undefined
}

/** Writes the figures of the run so far as JSON (schema 1) at each flush and at the end. */
export function createSummaryExporter({ path, csvPath }: SummaryExporterOptions): Exporter {
  const file = resolve(path)
  const startedAtMs = Date.now()
  const write = ({ reason, total }: Report): void => {
    if (reason === 'live') return
    writeSummaryFile(file, toSummary({ data: total, startedAtMs, csvPath: csvPath() }))
  }
  return { name: 'summary', export: write, exportSync: write }
}

/**
 * Writes beside and renames, so that nobody reads half a file.
 * @throws EnergyError ERR_EXPORT_FAILED where it cannot be written
 */
export function writeSummaryFile(path: string, summary: object): void {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    makeDirectory(dirname(path))
    writeFileSync(temporary, `${JSON.stringify(summary, undefined, 2)}\n`)
    renameSync(temporary, path)
  } catch (cause) {
    removeIfThere(temporary)
    throw new EnergyError(
      'ERR_EXPORT_FAILED',
      `the summary cannot be written to ${path}: ${messageOf(cause)}`,
      {
        cause,
      },
    )
  }
}

function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // Where its folder is no folder there is nothing to remove.
  }
}
