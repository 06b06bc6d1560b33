import type { EmissionsData } from '../core/emissions-data.ts'
import type { Exporter, Report } from '../core/exporter.ts'
import { taskMetricsOf, type Facts } from './run-figures.ts'
import { createRunStory, type RunNews } from './run-news.ts'

/** The user's own module of Weights & Biases after its `init()`, or the run that `init()` gave. */
export interface WandbModule {
  log(data: Record<string, unknown>): unknown
  /** Where it has them, facts and totals go there. */
  readonly config?: unknown
  readonly summary?: unknown
}

/** Options of {@link createWandbExporter}. */
export interface WandbExporterOptions {
  readonly wandb: WandbModule
  /** What emissions compare to, in words. */
  readonly comparisons: (data: EmissionsData) => readonly string[]
}

/**
 * Logs a run to one of Weights & Biases under names that begin with `carbon/`: figures so far at each report, 9 s apart at least, each task's too; hardware, methods, place and
 * totals to its config and summary, and where it has none with the last figures. It is never begun or ended here.
 */
export function createWandbExporter({ wandb, comparisons }: WandbExporterOptions): Exporter {
  const story = createRunStory(comparisons)
  const seen = new WeakSet<Report>()
  let untold: Facts = {}
  let closed = false

  /** What `log` gave back, where that is to be waited for. */
  function log(report: Report): unknown[] {
    if (closed || seen.has(report) || report.reason === 'signal') return []
    seen.add(report)
    if (story.isTooSoon(report)) return []
    const news = story.next(report)
    untold = { ...untold, ...toFacts(news) }
    const isTold = [
      update(wandb.config, named(news.parameters)),
      update(wandb.summary, named(news.others)),
    ].every(Boolean)
    const isEnd = report.reason === 'stop' || report.reason === 'exit'
    const figures = named(news.metrics)
    // The module writes into what it is given.
    const results = [wandb.log(!isTold && isEnd ? { ...figures, ...untold } : { ...figures })]
    return results.concat(news.tasks.map((task) => wandb.log(taskFigures(task))))
  }

  return {
    name: 'wandb',
    async export(report) {
      await Promise.all(log(report))
    },
    exportSync(report) {
      for (const result of log(report)) if (result instanceof Promise) result.catch(() => undefined)
    },
    close() {
      closed = true
    },
  }
}

const toFacts = ({ parameters, others }: RunNews): Facts => named({ ...parameters, ...others })

function taskFigures({ group, series, step }: RunNews['tasks'][number]): Record<string, unknown> {
  const figures = Object.entries(taskMetricsOf(group)).map(([name, value]) => [
    `${toName(name)}/${series}`,
    value,
  ])
  return { ...(Object.fromEntries(figures) as Record<string, number>), [`carbon/task_step/${series}`]: step }
}

const named = (values: Facts): Facts =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [toName(name), value]))

/** `codecarbon_cpu_power` is `carbon/cpu_power`. */
const toName = (name: string): string => `carbon/${name.replace(/^codecarbon_/, '')}`

/** Whether it is something that takes them. */
function update(target: unknown, values: Facts): boolean {
  if (typeof target !== 'object' || target === null || !('update' in target)) return false
  if (typeof target.update !== 'function') return false
  if (Object.keys(values).length > 0) target.update(values)
  return true
}
