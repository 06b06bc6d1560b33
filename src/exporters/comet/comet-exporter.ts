import type { Clock } from '../../core/clock.ts'
import type { EmissionsData } from '../../core/emissions-data.ts'
import { EnergyError } from '../../core/errors.ts'
import type { Exporter, Report, RunView } from '../../core/exporter.ts'
import { emissionsColumns, toRow } from '../csv/columns.ts'
import { loadCsvPackages, toTable } from '../csv/csv-file.ts'
import { startLiveLook } from '../live-look.ts'
import { taskMetricsOf, type Facts, type Figures } from '../run-figures.ts'
import { createRunStory, type RunMoment, type TaskNews } from '../run-news.ts'
import { renderPage } from '../run-page.ts'
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
  fail(error: unknown): void
  beforeEnd(tell: () => void): () => void
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
  /** How what was tracked has failed, when an experiment of its own ends. */
  readonly failure?: () => unknown
  readonly place?: () => string | undefined
}

/** The asset that Comet's panel looks for. */
const fileName = 'emissions.csv'
/** With the signs of life of the experiment that makes 60 at most. */
const mostPerMinute = 48
/** Of these, so many are not for tasks: a run with thousands of them still tells of itself. */
const keptForRun = 12
/** Of a task. */
const mostMetrics = 3
/** Within the 5 s that a run waits for an exporter. */
const flushMs = 4000
const endMs = 4500
/** Tasks that wait to be told, those of one name as one; of more the latest. */
const mostWaiting = 200

/**
 * Logs a run to an experiment of Comet: `emissions.csv`, 38 columns and one row, as one asset that is replaced at each report, which is what Comet's CodeCarbon
 * panel shows; the figures so far as metrics, each task's too; hardware, methods and place as parameters; totals and comparisons as others, and a page.
 * At most 48 requests a minute while the run goes on; a report for which there is no room is left out, and the next one has it all. An experiment that ends before
 * the run is told the figures up to then.
 */
export function createCometExporter(options: CometExporterOptions): Exporter {
  const { experiment, clock, comparisons, isOwner = false } = options
  const pace = createPace(mostPerMinute, clock)
  const seen = new WeakSet<Report>()
  const story = createRunStory(comparisons)
  let closed = false
  let cancelLook: (() => void) | undefined
  let forgetEnd: (() => void) | undefined

  function logOnce(report: Report): void {
    if (closed || seen.has(report)) return
    seen.add(report)
    log(report)
  }

  /** Hands the figures to the experiment where there is room for them. */
  function log(moment: RunMoment): void {
    const { reason, total } = moment
    const isEnd = reason === 'stop' || reason === 'exit'
    const news = story.newIn(moment)
    const { metrics, parameters, others } = news
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
      const page = renderPage({ data: total, comparisons: comparisons(total), tasks: story.tasks() })
      experiment.logHtml(page, { override: true })
    }
    story.note({ ...news, tasks: logTasks(news.tasks, isEnd) })
    const failure = isEnd && isOwner ? options.failure?.() : undefined
    if (failure !== undefined) experiment.fail(failure)
  }

  /** The latest for which there is room, as they came. @returns those that need not wait any longer */
  function logTasks(tasks: readonly TaskNews[], isEnd: boolean): readonly TaskNews[] {
    const room = isEnd ? mostWaiting : Math.floor((pace.room() - keptForRun) / mostMetrics)
    const told = tasks.slice(Math.max(0, tasks.length - Math.max(0, room)))
    for (const { group, series } of told) {
      const metrics = taskMetricsOf(group)
      pace.note(sizeOf(metrics))
      experiment.logMetrics(metrics, { epoch: group.epoch, context: series })
    }
    return [...told, ...tasks.slice(0, Math.max(0, tasks.length - mostWaiting))]
  }

  const showLive = ({ record }: RunView): void => {
    log({ reason: 'live', total: record, tasks: [] })
  }

  /** The experiment ends; the run may go on. */
  function tellEnd({ record }: RunView): void {
    if (closed) return
    log({ reason: 'exit', total: record, tasks: [] })
    stopTelling()
  }

  function stopTelling(): void {
    closed = true
    cancelLook?.()
    forgetEnd?.()
  }

  function checkOwn(): void {
    const problem = isOwner ? options.problem?.() : undefined
    if (problem !== undefined) throw new EnergyError('ERR_EXPORT_FAILED', problem)
  }

  return {
    name: 'comet',
    open(look) {
      loadCsvPackages()
      cancelLook = startLiveLook(clock, look, showLive)
      if (isOwner) return
      forgetEnd = experiment.beforeEnd(() => {
        tellEnd(look())
      })
    },
    onTask: (task) => {
      if (!closed) story.add(task)
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
    place: () => options.place?.(),
    async close() {
      if (closed) return
      stopTelling()
      if (isOwner) await experiment.end({ timeoutMs: endMs })
    },
  }
}

const sizeOf = (values: object): number => Object.keys(values).length
