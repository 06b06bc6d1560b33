import type { Clock } from '../../core/clock.ts'
import type { EmissionsData } from '../../core/emissions-data.ts'
import { EnergyError } from '../../core/errors.ts'
import type { Exporter, Reason, Report } from '../../core/exporter.ts'
import { emissionsColumns, toRow } from '../csv/columns.ts'
import { loadCsvPackages, toTable } from '../csv/csv-file.ts'
import { startLiveLook } from '../live-look.ts'
import { othersOf, taskMetricsOf, type Facts, type Figures } from '../run-figures.ts'
import { renderPage } from '../run-page.ts'
import { addTask, createTaskGroups, type TaskGroup } from '../task-groups.ts'
import { createToldFigures } from '../told-figures.ts'
import { createPace } from './pace.ts'

/** What of an experiment is needed here. Nothing of it throws. */
export interface CometLog {
  logMetrics(
    values: Figures,
    options?: { readonly step?: number; readonly epoch?: number | undefined; readonly context?: string },
  ): void
  logParameters(values: Facts): void
  logOthers(values: Facts): void
  logHtml(html: string, options?: { readonly override?: boolean }): void
  logAsset(bytes: Uint8Array, options: { readonly fileName: string; readonly overwrite: boolean }): void
  flush(options: { readonly timeoutMs: number }): Promise<boolean>
  end(options: { readonly timeoutMs: number }): Promise<void>
  endSync(): void
}

/** Options of {@link createCometExporter}. */
export interface CometExporterOptions {
  readonly experiment: CometLog
  readonly clock: Clock
  /** What emissions compare to, in words. */
  readonly comparisons: (data: EmissionsData) => readonly string[]
  /** The experiment is there for this run alone: it ends with it, and what is wrong with it is told of as of this exporter. */
  readonly isOwner?: boolean
  /** What is wrong with an experiment of its own. */
  readonly problem?: () => string | undefined
}

/** The asset that Comet's panel looks for. */
const fileName = 'emissions.csv'
/** With the signs of life of the experiment that makes fewer than 60. */
const mostPerMinute = 50
/** Of these, so many are not for tasks: a run with thousands of them still tells of itself. */
const keptForRun = 12
/** Within the 5 s that a run waits for an exporter. */
const flushMs = 4000
const endMs = 4500
/** Names that are told when a run ends, besides those that were told before. */
const mostNamesAtEnd = 20

/**
 * Logs a run to an experiment of Comet: `emissions.csv`, 38 columns and one row, as one asset that is replaced at each report, which is what Comet's CodeCarbon
 * panel shows; the figures so far as metrics, each task's too; hardware, methods and place as parameters; totals and comparisons as others, and a page.
 * At most 50 requests a minute while the run goes on; a report for which there is no room is left out, and the next one has it all.
 */
export function createCometExporter(options: CometExporterOptions): Exporter {
  const { experiment, clock, comparisons, isOwner = false } = options
  const pace = createPace(mostPerMinute, clock)
  const seen = new WeakSet<Report>()
  const figures = createToldFigures()
  const groups = createTaskGroups()
  /** Tasks that were not told yet. */
  const pending = new Map<string, TaskGroup>()
  let closed = false
  let cancelLook: (() => void) | undefined

  function log({ reason, total, tasks }: Report): void {
    for (const task of tasks) {
      const name = groups.add(task)
      pending.set(name, addTask(pending.get(name), task, name))
    }
    logRun(total, reason)
  }

  function logOnce(report: Report): void {
    if (closed || seen.has(report)) return
    seen.add(report)
    log(report)
  }

  /** Hands the figures to the experiment where there is room for them. */
  function logRun(total: EmissionsData, reason: Reason): void {
    const isEnd = reason === 'stop' || reason === 'exit'
    const news = figures.newIn(total)
    const { metrics, parameters } = news
    const others = reason === 'live' ? {} : othersOf(total, comparisons(total))
    const light = 1 + sizeOf(metrics) + sizeOf(parameters)
    const whole = light + 1 + sizeOf(others)
    // Where there is no room for all of a flush, the figures go first.
    const isWhole = isEnd || (reason === 'flush' && pace.room() >= whole)
    if (!isEnd && pace.room() < light) return
    pace.note(isWhole ? whole : light)

    experiment.logAsset(Buffer.from(toTable(emissionsColumns, toRow(total))), { fileName, overwrite: true })
    experiment.logMetrics(metrics, { step: Math.round(total.duration) })
    experiment.logParameters(parameters)
    if (isWhole) {
      experiment.logOthers(others)
      const page = renderPage({ data: total, comparisons: comparisons(total), tasks: groups.all() })
      experiment.logHtml(page, { override: true })
    }
    figures.note(total, news)
    logTasks(isEnd)
  }

  function logTasks(isEnd: boolean): void {
    let names = 0
    for (const [name, group] of pending) {
      const metrics = taskMetricsOf(group)
      if (isEnd ? names >= mostNamesAtEnd : pace.room() < keptForRun + sizeOf(metrics)) return
      pace.note(sizeOf(metrics))
      experiment.logMetrics(metrics, { epoch: group.epoch, context: name })
      pending.delete(name)
      names += 1
    }
  }

  function checkOwn(): void {
    const problem = isOwner ? options.problem?.() : undefined
    if (problem !== undefined) throw new EnergyError('ERR_EXPORT_FAILED', problem)
  }

  return {
    name: 'comet',
    open(look) {
      loadCsvPackages()
      cancelLook = startLiveLook(clock, look, ({ record }) => {
        logRun(record, 'live')
      })
    },
    async export(report) {
      if (report.reason === 'signal') return
      logOnce(report)
      if (report.reason === 'flush') await experiment.flush({ timeoutMs: flushMs })
      if (!closed) checkOwn()
    },
    exportSync(report) {
      if (report.reason === 'signal') return
      logOnce(report)
      if (report.reason !== 'live') cancelLook?.()
      if (isOwner && !closed) experiment.endSync()
    },
    async close() {
      if (closed) return
      closed = true
      cancelLook?.()
      if (isOwner) await experiment.end({ timeoutMs: endMs })
    },
  }
}

const sizeOf = (values: object): number => Object.keys(values).length
