import type { EmissionsData, TaskEmissionsData } from './core/emissions-data.ts'
import type { Exporter, Report } from './core/exporter.ts'

/** An output of the user's own, with the hooks of CodeCarbon's `BaseOutput` in camelCase; each is optional. */
export interface OutputHandler {
  /** At flush and at the end: the run so far, and what came since the last call. */
  out?(total: EmissionsData, delta: EmissionsData): void | Promise<void>
  /** Every `apiCallInterval` measurements. */
  liveOut?(total: EmissionsData, delta: EmissionsData): void | Promise<void>
  /** Tasks that ended since the last call. */
  taskOut?(tasks: readonly TaskEmissionsData[], experimentName: string): void | Promise<void>
  /** Once, after the last call of `out`. */
  exit?(): void | Promise<void>
}

/**
 * Makes an exporter of a handler. At the end of a process a handler is called without being waited for; `onError` hears of those that then
 * reject.
 */
export function toExporter(
  handler: OutputHandler,
  experimentName: string,
  name: string,
  onError: (error: unknown) => void = () => {},
): Exporter {
  const seen = new WeakSet<Report>()
  let closed = false
  const isNew = (report: Report): boolean => {
    if (closed || seen.has(report)) return false
    seen.add(report)
    return true
  }
  const unawaited = (result: void | Promise<void>): void => {
    if (result instanceof Promise) result.catch(onError)
  }
  return {
    name,
    async export(report) {
      if (!isNew(report)) return
      const { reason, total, delta, tasks } = report
      if (tasks.length > 0) await handler.taskOut?.(tasks, experimentName)
      if (reason === 'live') await handler.liveOut?.(total, delta)
      else await handler.out?.(total, delta)
    },
    exportSync(report) {
      if (report.reason === 'signal' || !isNew(report)) return
      const { total, delta, tasks } = report
      if (tasks.length > 0) unawaited(handler.taskOut?.(tasks, experimentName))
      unawaited(handler.out?.(total, delta))
    },
    close() {
      if (closed) return
      closed = true
      return handler.exit?.()
    },
  }
}
