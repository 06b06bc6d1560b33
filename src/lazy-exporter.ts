import type { TaskEmissionsData } from './core/emissions-data.ts'
import type { Exporter } from './core/exporter.ts'
import type { ScopeRecord } from './core/scope-record.ts'

/** What is known of an exporter before its code is there. */
type Known = Pick<Exporter, 'isShared' | 'isRemote'>

/**
 * An exporter whose code is loaded when the run begins, so that programs that do not use it pay nothing for it. Tasks that end before it is
 * there wait for it.
 */
export function lazyExporter(name: string, load: () => Promise<Exporter>, known: Known = {}): Exporter {
  let loading: Promise<Exporter> | undefined
  let ready: Exporter | undefined
  const early: TaskEmissionsData[] = []
  const earlyScopes: ScopeRecord[] = []
  const exporter = (): Promise<Exporter> =>
    (loading ??= load().then((loaded) => {
      ready = loaded
      for (const task of early.splice(0)) loaded.onTask?.(task)
      if (earlyScopes.length > 0) loaded.onScopes?.(earlyScopes.splice(0))
      return loaded
    }))
  return {
    ...known,
    name,
    async open(look, fail) {
      await (await exporter()).open?.(look, fail)
    },
    onTask(task) {
      if (ready === undefined) early.push(task)
      else ready.onTask?.(task)
    },
    onScopes(ended) {
      if (ready === undefined) earlyScopes.push(...ended)
      else ready.onScopes?.(ended)
    },
    // Of those before it was there nobody misses anything.
    onTick(took) {
      ready?.onTick?.(took)
    },
    async export(report) {
      await (await exporter()).export(report)
    },
    exportSync(report) {
      ready?.exportSync?.(report)
    },
    async close() {
      await (await loading)?.close?.()
    },
  }
}
