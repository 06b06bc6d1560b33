import type { Clock } from '../../core/clock.ts'
import type { EmissionsData } from '../../core/emissions-data.ts'
import type { Exporter, Reason, Report } from '../../core/exporter.ts'
import { emissionsColumns, toRow } from '../csv/columns.ts'
import { loadCsvPackages, toTable } from '../csv/csv-file.ts'
import { startLiveLook } from '../live-look.ts'
import { taskMetricsOf } from '../run-figures.ts'
import { createRunStory, type RunMoment } from '../run-news.ts'
import { renderPage } from '../run-page.ts'

/** What of a run of MLflow is needed here. What is logged waits until it is sent. */
export interface MlflowLog {
  readonly isBusy: boolean
  logMetric(key: string, value: number, step: number, timestampMs: number): void
  logParameter(key: string, value: string | number): void
  setTag(key: string, value: string | number): void
  logArtifact(name: string, bytes: Uint8Array, contentType: string): void
  send(options: SendOptions): Promise<void>
  end(options: SendOptions, status: 'FINISHED' | 'FAILED'): Promise<void>
}

/** What is sent for whom, and how long that may take. */
export interface SendOptions {
  readonly mark: {
    readonly runId: string
    readonly projectName: string
    readonly startMs: number
    readonly nowMs: number
  }
  readonly isLive: boolean
  readonly timeoutMs: number
}

/** Options of {@link createMlflowExporter}. */
export interface MlflowExporterOptions {
  readonly run: MlflowLog
  /** A name under which the server takes it. */
  readonly toKey: (...parts: readonly string[]) => string
  readonly clock: Clock
  /** What emissions compare to, in words. */
  readonly comparisons: (data: EmissionsData) => readonly string[]
  /** Whether what was tracked has failed, when the run ends. */
  readonly hasFailed: () => boolean
}

/** Within the 5 s that a run waits for an exporter. */
const flushMs = 4000
const endMs = 4500

/**
 * Logs a run to one of MLflow: figures so far as metrics, each task's too; hardware, methods and place as parameters; totals and comparisons as tags;
 * `emissions.csv` and a page as files. After 10 s, each 30 s, at each report and at the end. A process that ends without a stop cannot wait for a connection: what
 * came since the last report is then not there.
 */
export function createMlflowExporter(options: MlflowExporterOptions): Exporter {
  const { run, toKey, clock, comparisons, hasFailed } = options
  const story = createRunStory(comparisons)
  let closed = false
  let cancelLook: (() => void) | undefined
  /** Of live sends, which nobody waits for. */
  let problem: unknown

  function log({ reason, total, tasks }: RunMoment, wallMs: number): void {
    const news = story.next({ reason, total, tasks })
    const step = Math.round(total.duration)
    for (const [name, value] of Object.entries(news.metrics)) run.logMetric(toKey(name), value, step, wallMs)
    for (const task of news.tasks)
      for (const [name, value] of Object.entries(taskMetricsOf(task.group)))
        run.logMetric(toKey(name, task.series), value, task.step, wallMs)
    for (const [name, value] of Object.entries(news.parameters)) run.logParameter(name, value)
    for (const [name, value] of Object.entries(news.others))
      run.setTag(toKey('codecarbon', name.replace(/[(),]/g, '').replace('/', ' per ')), value)
    run.logArtifact('emissions.csv', Buffer.from(toTable(emissionsColumns, toRow(total))), 'text/csv')
    if (reason === 'flush' || reason === 'stop') {
      const page = renderPage({ data: total, comparisons: comparisons(total), tasks: story.tasks() })
      run.logArtifact(
        'codecarbon.html',
        Buffer.from(`<!doctype html><meta charset="utf-8">${page}`),
        'text/html',
      )
    }
  }

  const sendOptions = (total: EmissionsData, wallMs: number, reason: Reason): SendOptions => ({
    mark: {
      runId: total.runId,
      projectName: total.projectName,
      startMs: Math.round(wallMs - total.duration * 1000),
      nowMs: Math.round(wallMs),
    },
    isLive: reason === 'live',
    timeoutMs: reason === 'stop' ? endMs : flushMs,
  })

  /** A server that hangs must not make the end wait behind it: what is wrong, the next report tells. */
  function showLive(moment: RunMoment, wallMs: number): void {
    if (story.isTooSoon(moment)) return
    log(moment, wallMs)
    if (run.isBusy) return
    run.send(sendOptions(moment.total, wallMs, 'live')).catch((error: unknown) => {
      problem = error
    })
  }

  async function exportReport(report: Report): Promise<void> {
    const { reason, total } = report
    const { wallMs } = report.snapshot.at
    if (reason === 'live') {
      const before = problem
      problem = undefined
      showLive(report, wallMs)
      if (before !== undefined) throw before
      return
    }
    problem = undefined
    log(report, wallMs)
    const how = sendOptions(total, wallMs, reason)
    if (reason === 'flush') return run.send(how)
    cancelLook?.()
    return run.end(how, hasFailed() ? 'FAILED' : 'FINISHED')
  }

  return {
    name: 'mlflow',
    open(look) {
      loadCsvPackages()
      cancelLook = startLiveLook(clock, look, ({ record, snapshot }) => {
        showLive({ reason: 'live', total: record, tasks: [] }, snapshot.at.wallMs)
      })
    },
    async export(report) {
      if (!closed && report.reason !== 'signal' && report.reason !== 'exit') await exportReport(report)
    },
    close() {
      closed = true
      cancelLook?.()
    },
  }
}
