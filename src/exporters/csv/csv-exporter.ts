import { basename, dirname, join, resolve } from 'node:path'
import { EnergyError, messageOf } from '../../core/errors.ts'
import type { TaskEmissionsData } from '../../core/emissions-data.ts'
import type { Exporter, Report } from '../../core/exporter.ts'
import { withLock, withLockSync } from '../../files/file-lock.ts'
import { makeDirectory } from '../../files/make-directory.ts'
import { stateDirectory } from '../../files/state-directory.ts'
import { emissionsColumns, extendedColumns, taskColumns, toRow } from './columns.ts'
import { appendRow, replaceRow, loadCsvPackages } from './csv-file.ts'

/** Options of {@link createCsvExporter}. */
export interface CsvExporterOptions {
  /** Folder of the files; made where it is missing. */
  readonly outputDir: string
  /** Name of the file of runs, or a path of its own. */
  readonly outputFile: string
  /** `append` adds a row at each flush and stop, `update` keeps one row a run. */
  readonly onCsvWrite: 'append' | 'update'
  readonly csvSchema: 'codecarbon' | 'extended'
  /** Part of the name of the file of tasks. */
  readonly experimentName: string
  /** Told when a row had to go somewhere else, once, and when a file was in its place. */
  readonly onFallback?: (message: string) => void
}

/** The exporter, and where the rows of runs really are. */
export interface CsvExporter extends Exporter {
  readonly path: string
  /** Loads what writing needs, while it can be loaded. */
  prepare(): void
}

/**
 * Writes `emissions.csv`: one row a run, and a file of tasks beside it. A row that cannot be written where it should be goes to the state
 * directory, and the user is told; only where that fails too is it an error.
 */
export function createCsvExporter(options: CsvExporterOptions): CsvExporter {
  const { csvSchema, onCsvWrite, onFallback } = options
  const more = csvSchema === 'extended' ? extendedColumns : []
  const columns = [...emissionsColumns, ...more]
  let folder = placeOf(options.outputDir, onFallback)
  let path = resolve(folder, options.outputFile)
  /** A row was written that a later one is to replace: the run went on after a signal. */
  let isProvisional = false
  let closed = false
  /** Reports and tasks that are in a file, so that those that come again at the end of the process are not written twice. */
  const written = new WeakSet<Report | TaskEmissionsData>()

  let isTold = false

  /** The writes that a report asks for. Each is repeated in the state directory if it fails, and is done once, whoever comes first. */
  function jobsOf(report: Report): Job[] {
    const jobs: Job[] = []
    if (report.tasks.length > 0) {
      const name = taskFileName(options.experimentName, report.total.runId)
      jobs.push({
        path: join(folder, name),
        write(to) {
          for (const task of report.tasks) {
            if (written.has(task)) continue
            appendRow(to, [...taskColumns, ...more], toRow(task))
            written.add(task)
          }
        },
      })
    }
    // A row that is kept up to date may be so in between, too.
    if (report.reason !== 'live' || onCsvWrite === 'update') {
      jobs.push({
        path,
        write(to) {
          if (written.has(report)) return
          const write = onCsvWrite === 'update' || isProvisional ? replaceRow : appendRow
          write(to, columns, toRow(report.total), (backup) => {
            onFallback?.(`${to} was no table of emissions; it is now ${backup}`)
          })
          written.add(report)
          isProvisional = report.reason === 'signal'
        },
        moved(to) {
          path = to
        },
      })
    }
    return jobs
  }

  /** Later rows of this run follow the first one that had to go elsewhere. */
  function fallBack(job: Job, error: unknown): string {
    const directory = stateDirectory()
    const to = join(directory, basename(job.path))
    if (to === job.path) throw failed(job.path, error)
    if (!isTold) onFallback?.(`${job.path} cannot be written (${messageOf(error)}); writing ${to} instead`)
    isTold = true
    folder = directory
    job.moved?.(to)
    return to
  }

  return {
    name: 'csv',
    get path() {
      return path
    },
    async export(report) {
      if (closed) return
      for (const job of jobsOf(report)) {
        let to = job.path
        try {
          await attempt(to, job.write)
        } catch (error) {
          to = fallBack(job, error)
          try {
            await attempt(to, job.write)
          } catch (second) {
            throw failed(to, second)
          }
        }
      }
    },
    exportSync(report) {
      if (closed) return
      for (const job of jobsOf(report)) {
        let to = job.path
        try {
          attemptSync(to, job.write)
        } catch (error) {
          to = fallBack(job, error)
          try {
            attemptSync(to, job.write)
          } catch (second) {
            throw failed(to, second)
          }
        }
      }
    },
    prepare: loadCsvPackages,
    close() {
      closed = true
    },
  }
}

/** A working directory that was removed is no place: the state directory then is. */
function placeOf(directory: string, onFallback: CsvExporterOptions['onFallback']): string {
  try {
    return resolve(directory)
  } catch {
    const instead = stateDirectory()
    onFallback?.(`the working directory is gone; writing to ${instead} instead`)
    return instead
  }
}

interface Job {
  readonly path: string
  readonly write: (path: string) => void
  /** Told where the file is, when it had to go elsewhere. */
  readonly moved?: (path: string) => void
}

/** CodeCarbon's name for the file of tasks; what cannot stand in a file name becomes `_`. */
export const taskFileName = (experimentName: string, runId: string): string =>
  `emissions_${experimentName.replace(/[^\p{L}\p{N}._ -]/gu, '_')}_${runId}.csv`

async function attempt(path: string, write: (path: string) => void): Promise<void> {
  makeDirectory(dirname(path))
  await withLock(path, write)
}

function attemptSync(path: string, write: (path: string) => void): void {
  makeDirectory(dirname(path))
  withLockSync(path, write)
}

const failed = (path: string, cause: unknown): EnergyError =>
  new EnergyError('ERR_EXPORT_FAILED', `${path} cannot be written: ${messageOf(cause)}`, { cause })
