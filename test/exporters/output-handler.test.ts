import { describe, expect, it } from 'vitest'
import { toExporter, type OutputHandler } from '../../src/output-handler.ts'
import { itIsAnExporter } from '../contract/exporter.ts'
import { recordOf, reportOf, taskOf } from '../fixtures/csv/records.ts'

itIsAnExporter('a handler of the user', () => {
  const runs: string[] = []
  const tasks: string[] = []
  const handler: OutputHandler = {
    out: (total) => void runs.push(total.runId),
    taskOut: (ended) => void tasks.push(...ended.map(({ taskName }) => taskName)),
  }
  return {
    exporter: toExporter(handler, 'base', 'handler 1'),
    delivered: () => runs,
    deliveredTasks: () => tasks,
  }
})

itIsAnExporter('a handler whose hooks are asynchronous', () => {
  const runs: string[] = []
  const tasks: string[] = []
  const handler: OutputHandler = {
    async out(total) {
      runs.push(total.runId)
      await Promise.resolve()
    },
    async taskOut(ended) {
      tasks.push(...ended.map(({ taskName }) => taskName))
      await Promise.resolve()
    },
  }
  return {
    exporter: toExporter(handler, 'base', 'handler 1'),
    delivered: () => runs,
    deliveredTasks: () => tasks,
  }
})

describe('a handler', () => {
  /** Notes the hooks that are called, and with what. */
  const noting = (): { calls: unknown[][]; exporter: ReturnType<typeof toExporter> } => {
    const calls: unknown[][] = []
    const handler: OutputHandler = {
      out: (total, delta) => void calls.push(['out', total.duration, delta.duration]),
      liveOut: (total, delta) => void calls.push(['liveOut', total.duration, delta.duration]),
      taskOut: (tasks, experiment) => void calls.push(['taskOut', tasks.length, experiment]),
      exit: () => void calls.push(['exit']),
    }
    return { calls, exporter: toExporter(handler, 'night', 'handler 1') }
  }

  it('hears of live figures, of tasks and of the end, each by its own hook', async () => {
    const { calls, exporter } = noting()
    await exporter.export(reportOf('live', recordOf({ duration: 1 })))
    await exporter.export(reportOf('flush', recordOf({ duration: 2 }), [taskOf('a')]))
    await exporter.export(reportOf('stop', recordOf({ duration: 3 })))
    await exporter.close?.()
    expect(calls).toEqual([
      ['liveOut', 1, 1],
      ['taskOut', 1, 'night'],
      ['out', 2, 2],
      ['out', 3, 3],
      ['exit'],
    ])
  })

  it('hears of the exit once, however often it is closed', async () => {
    const { calls, exporter } = noting()
    await exporter.close?.()
    await exporter.close?.()
    expect(calls).toEqual([['exit']])
  })

  it('hears nothing of a signal that the program may survive', () => {
    const { calls, exporter } = noting()
    exporter.exportSync?.(reportOf('signal'))
    expect(calls).toEqual([])
  })

  it('may lack any hook', async () => {
    const exporter = toExporter({}, 'base', 'handler 1')
    for (const reason of ['live', 'flush', 'stop'] as const) {
      await exporter.export(reportOf(reason, recordOf(), [taskOf('a')]))
    }
    exporter.exportSync?.(reportOf('exit', recordOf(), [taskOf('a')]))
    await exporter.close?.()
  })

  it('keeps its own `this`', async () => {
    class Collector implements OutputHandler {
      readonly #seen: string[] = []
      out(total: { runId: string }): void {
        this.#seen.push(total.runId)
      }
      get seen(): readonly string[] {
        return this.#seen
      }
    }
    const collector = new Collector()
    await toExporter(collector, 'base', 'handler 1').export(reportOf('stop'))
    expect(collector.seen).toEqual(['run-1'])
  })
})
