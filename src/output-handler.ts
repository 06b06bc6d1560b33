import type { EmissionsData, TaskEmissionsData } from './core/emissions-data.ts'
import type { Exporter } from './core/exporter.ts'

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

/** Makes an exporter of a handler. At the end of a process a handler is called without being waited for. */
export function toExporter(handler: OutputHandler, experimentName: string, name: string): Exporter {
  return {
    name,
    async export({ reason, total, delta, tasks }) {
      if (tasks.length > 0) await handler.taskOut?.(tasks, experimentName)
      if (reason === 'live') await handler.liveOut?.(total, delta)
      else await handler.out?.(total, delta)
    },
    exportSync(report) {
      if (report.reason === 'signal') return
      const { total, delta, tasks } = report
      if (tasks.length > 0) void handler.taskOut?.(tasks, experimentName)
      void handler.out?.(total, delta)
    },
    close: () => handler.exit?.(),
  }
}
