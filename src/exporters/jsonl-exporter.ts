import { dirname, join, resolve } from 'node:path'
import type { TaskEmissionsData } from '../core/emissions-data.ts'
import { EnergyError, messageOf } from '../core/errors.ts'
import type { Exporter, Report } from '../core/exporter.ts'
import { appendWhole } from '../files/append.ts'
import { withLock, withLockSync } from '../files/file-lock.ts'
import { makeDirectory } from '../files/make-directory.ts'
import { stateDirectory } from '../files/state-directory.ts'
import { toSummary } from './summary.ts'

/** Options of {@link createJsonlExporter}. */
export interface JsonlExporterOptions {
  /** Folder of the CSV files; made where it is missing. */
  readonly outputDir: string
  /** Name of the CSV file of runs, or a path of its own: the lines go into the folder that it is in. */
  readonly outputFile: string
  /** Where the rows of the run go. */
  readonly csvPath: () => string | undefined
  /** Told when lines had to go somewhere else, once. */
  readonly onFallback?: (message: string) => void
}

const fileName = 'emissions.jsonl'

/**
 * Appends to `emissions.jsonl`: an object a line for each task that ended and for the run at each report. It is that of `--summary-file`, behind `event`
 * (`live`, `flush`, `stop`, `exit`, `signal` or `task`) and `at`, the moment that it tells of. Lines are whole, and locked between processes.
 * What cannot be written where it should be goes to the state directory, and the user is told.
 */
export function createJsonlExporter(options: JsonlExporterOptions): Exporter {
  const { csvPath, onFallback } = options
  const startedAtMs = Date.now()
  let path = placeOf(options)
  let closed = false
  /** What is in the file and may come again at the end of the process. */
  const written = new WeakSet<Report | TaskEmissionsData>()

  function write(report: Report, to: string): void {
    const tasks = report.tasks.filter((task) => !written.has(task))
    const lines = tasks.map(taskLine)
    if (!written.has(report)) lines.push(runLine(report, { startedAtMs, csvPath: csvPath() }))
    if (lines.length === 0) return
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    appendWhole(to, ({ isTorn }) => (isTorn ? `\n${text}` : text))
    for (const one of [report, ...tasks]) written.add(one)
  }

  /** All that follows goes there, too. */
  function fallBack(error: unknown): void {
    const instead = join(stateDirectory(), fileName)
    if (instead === path) throw failed(path, error)
    onFallback?.(`${path} cannot be written (${messageOf(error)}); writing ${instead} instead`)
    path = instead
  }

  async function attempt(report: Report): Promise<void> {
    makeDirectory(dirname(path))
    await withLock(path, (to) => {
      write(report, to)
    })
  }

  function attemptSync(report: Report): void {
    makeDirectory(dirname(path))
    withLockSync(path, (to) => {
      write(report, to)
    })
  }

  return {
    name: 'jsonl',
    async export(report) {
      if (closed) return
      try {
        await attempt(report)
      } catch (error) {
        fallBack(error)
        await attempt(report).catch((second: unknown) => {
          throw failed(path, second)
        })
      }
    },
    exportSync(report) {
      if (closed) return
      try {
        attemptSync(report)
      } catch (error) {
        fallBack(error)
        try {
          attemptSync(report)
        } catch (second) {
          throw failed(path, second)
        }
      }
    },
    close() {
      closed = true
    },
  }
}

/** A working directory that was removed is no place: the state directory then is. */
function placeOf({ outputDir, outputFile, onFallback }: JsonlExporterOptions): string {
  try {
    return join(dirname(resolve(outputDir, outputFile)), fileName)
  } catch {
    const instead = join(stateDirectory(), fileName)
    onFallback?.(`the working directory is gone; writing ${instead}`)
    return instead
  }
}

function runLine(
  { reason, snapshot, total }: Report,
  run: { readonly startedAtMs: number; readonly csvPath: string | undefined },
): object {
  return {
    event: reason,
    at: new Date(snapshot.at.wallMs).toISOString(),
    ...toSummary({ data: total, ...run }),
  }
}

function taskLine(task: TaskEmissionsData): object {
  // In local time, as the CSV file has it, which is how it is read here.
  const endedAtMs = Date.parse(task.timestamp)
  const startedAtMs = endedAtMs - task.duration * 1000
  return {
    event: 'task',
    at: new Date(endedAtMs).toISOString(),
    task_name: task.taskName,
    ...toSummary({ data: task, startedAtMs, csvPath: undefined }),
  }
}

const failed = (path: string, cause: unknown): EnergyError =>
  new EnergyError('ERR_EXPORT_FAILED', `${path} cannot be written: ${messageOf(cause)}`, { cause })
