import { describe, expect, it } from 'vitest'
import type { Exporter } from '../../src/core/exporter.ts'
import { recordOf, reportOf, taskOf, unmeasuredRecord } from '../fixtures/csv/records.ts'

/** An exporter, and a look at the place it hands figures to. */
export interface ExporterUnderTest {
  readonly exporter: Exporter
  /** The ids of the runs that were handed out at a flush or at the end, in order; one for each time. */
  delivered(): readonly string[]
  /** The names of the tasks that were handed out, in order; absent where it tells of runs alone. */
  deliveredTasks?(): readonly string[]
  /** It hands out nothing before the end. @default false */
  readonly isAtEndOnly?: boolean
}

const problem = {
  code: 'ERR_PROBE_READ',
  subject: 'package-0',
  message: 'package-0: EIO: i/o error, read',
  count: 2,
  gap: 1.9,
} as never

/** What holds of every exporter. Each test makes one of its own. */
export function itIsAnExporter(title: string, create: () => ExporterUnderTest): void {
  describe(`${title} is an exporter: it`, () => {
    it('has a name to be reported by', () => {
      expect(create().exporter.name).toMatch(/\S/)
    })

    it.each(['flush', 'stop'] as const)('hands out the run of a report at %s', async (reason) => {
      const { exporter, delivered, isAtEndOnly = false } = create()
      await exporter.export(reportOf(reason))
      await exporter.close?.()
      expect(delivered()).toEqual(isAtEndOnly && reason === 'flush' ? [] : ['run-1'])
    })

    it.each(['stop', 'exit'] as const)('hands out the run of a report without waiting, at %s', (reason) => {
      const { exporter, delivered } = create()
      exporter.exportSync?.(reportOf(reason))
      expect(delivered()).toEqual(exporter.exportSync === undefined ? [] : ['run-1'])
    })

    it('hands out a report once, though the process ends before it is done with it', async () => {
      const { exporter, delivered, deliveredTasks } = create()
      const report = reportOf('stop', recordOf(), [taskOf('epoch')])
      const exported = exporter.export(report)
      exporter.exportSync?.(report)
      await exported
      exporter.exportSync?.(report)
      expect(delivered()).toEqual(['run-1'])
      if (deliveredTasks !== undefined) expect(deliveredTasks()).toEqual(['epoch'])
    })

    it('hands out each task once, over several reports', async () => {
      const { exporter, deliveredTasks } = create()
      await exporter.export(reportOf('live', recordOf(), [taskOf('a'), taskOf('b')]))
      await exporter.export(reportOf('flush', recordOf(), [taskOf('c')]))
      await exporter.export(reportOf('stop'))
      if (deliveredTasks !== undefined) expect(deliveredTasks()).toEqual(['a', 'b', 'c'])
    })

    it('changes nothing in the report', async () => {
      const report = reportOf('stop', recordOf(), [taskOf('epoch')])
      const before = structuredClone(report)
      await create().exporter.export(deepFreeze(report))
      expect(report).toEqual(before)
    })

    it('takes a run of which nothing could be measured', async () => {
      const { exporter, delivered } = create()
      await exporter.export(reportOf('stop', unmeasuredRecord()))
      expect(delivered()).toEqual(['run-1'])
    })

    it('takes a run of which there is nothing but errors', async () => {
      const { exporter, delivered } = create()
      await exporter.export(reportOf('stop', unmeasuredRecord({ problems: [problem] })))
      expect(delivered()).toEqual(['run-1'])
    })

    it('hands out nothing after it was closed', async () => {
      const { exporter, delivered, deliveredTasks } = create()
      await exporter.close?.()
      await exporter.export(reportOf('stop', recordOf(), [taskOf('late')]))
      exporter.exportSync?.(reportOf('exit', recordOf({ runId: 'run-2' }), [taskOf('later')]))
      expect(delivered()).toEqual([])
      if (deliveredTasks !== undefined) expect(deliveredTasks()).toEqual([])
    })

    it('may be closed twice', async () => {
      const { exporter, delivered } = create()
      await exporter.export(reportOf('stop'))
      await exporter.close?.()
      await exporter.close?.()
      expect(delivered()).toEqual(['run-1'])
    })
  })
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
