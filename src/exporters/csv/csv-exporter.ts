import { mkdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { EnergyError, messageOf } from '../../core/errors.ts'
import type { Exporter, Report } from '../../core/exporter.ts'
import { stateDirectory } from '../state-directory.ts'
import { emissionsColumns, extendedColumns, taskColumns, toRow, type Row } from './columns.ts'
import { appendRow, replaceRow } from './csv-file.ts'
import { withLock, withLockSync } from './file-lock.ts'

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
  /** Told once, when a row had to go somewhere else. */
  readonly onFallback?: (message: string) => void
}

/** The exporter, and where the rows of runs really are. */
export interface CsvExporter extends Exporter {
  readonly path: string
}

/**
 * Writes `emissions.csv`: one row a run, and a file of tasks beside it. A row that cannot be written where it should be goes to the state
 * directory, and the user is told; only where that fails too is it an error.
 */
export function createCsvExporter(options: CsvExporterOptions): CsvExporter {
  const { csvSchema, onCsvWrite, onFallback } = options
  const columns = csvSchema === 'extended' ? [...emissionsColumns, ...extendedColumns] : emissionsColumns
  let path = resolve(options.outputDir, options.outputFile)
  let folder = resolve(options.outputDir)
  /** A row was written that a later one is to replace: the run went on after a signal. */
  let isProvisional = false
  let closed = false
  /** Parts of reports that are in a file, so that one that comes again at the end of the process is not written twice. */
  const written = { run: new WeakSet<Report>(), tasks: new WeakSet<Report>() }

  /** The writes that a report asks for. Each is repeated as a whole in the state directory if it fails. */
  function jobsOf(report: Report): Job[] {
    const jobs: Job[] = []
    if (report.tasks.length > 0 && !written.tasks.has(report)) {
      const rows = report.tasks.map(toRow)
      const name = taskFileName(options.experimentName, report.total.runId)
      jobs.push({ kind: 'tasks', path: join(folder, name), write: (to) => appendAll(to, rows) })
    }
    if (report.reason !== 'live' && !written.run.has(report)) {
      const replaces = onCsvWrite === 'update' || isProvisional
      const write = replaces ? replaceRow : appendRow
      jobs.push({ kind: 'run', path, write: (to) => write(to, columns, toRow(report.total)) })
    }
    return jobs
  }

  function done(job: Job, to: string, report: Report): void {
    written[job.kind].add(report)
    if (job.kind === 'tasks') return
    path = to
    isProvisional = report.reason === 'signal'
  }

  /** Later rows of this run follow the first one that had to go elsewhere. */
  function fallBack(job: Job, error: unknown): string {
    const directory = stateDirectory()
    const to = join(directory, basename(job.path))
    if (to === job.path) throw failed(job.path, error)
    onFallback?.(`${job.path} cannot be written (${messageOf(error)}); writing ${to} instead`)
    folder = directory
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
        done(job, to, report)
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
        done(job, to, report)
      }
    },
    close() {
      closed = true
    },
  }
}

interface Job {
  readonly kind: 'run' | 'tasks'
  readonly path: string
  readonly write: (path: string) => void
}

/** CodeCarbon's name for the file of tasks; what cannot stand in a file name becomes `_`. */
export const taskFileName = (experimentName: string, runId: string): string =>
  `emissions_${experimentName.replace(/[^\p{L}\p{N}._ -]/gu, '_')}_${runId}.csv`

function appendAll(path: string, rows: readonly Row[]): void {
  for (const row of rows) appendRow(path, taskColumns, row)
}

async function attempt(path: string, write: (path: string) => void): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  await withLock(path, () => {
    write(path)
  })
}

function attemptSync(path: string, write: (path: string) => void): void {
  mkdirSync(dirname(path), { recursive: true })
  withLockSync(path, () => {
    write(path)
  })
}

const failed = (path: string, cause: unknown): EnergyError =>
  new EnergyError('ERR_EXPORT_FAILED', `${path} cannot be written: ${messageOf(cause)}`, { cause })
