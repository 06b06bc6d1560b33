import type { EmissionsData, TaskEmissionsData } from '../core/emissions-data.ts'
import type { Exporter, Report } from '../core/exporter.ts'
import { toFlatRecord } from './record.ts'

/**
 * Gives the record of the run so far to the log at each report, as one line of JSON, and that of each task that has ended before it.
 * CodeCarbon for Python writes the same of runs (`LoggerOutput`).
 */
export function createLoggerExporter(write: (line: string) => void): Exporter {
  /** What was written and may come again at the end of the process. */
  const written = new WeakSet<Report | TaskEmissionsData>()
  let closed = false

  function writeOnce(key: Report | TaskEmissionsData, data: EmissionsData): void {
    if (written.has(key)) return
    written.add(key)
    write(JSON.stringify(toFlatRecord(data)))
  }

  function tell(report: Report): void {
    if (closed) return
    for (const task of report.tasks) writeOnce(task, task)
    writeOnce(report, report.total)
  }
  return {
    name: 'logger',
    export: tell,
    exportSync: tell,
    close() {
      closed = true
    },
  }
}
