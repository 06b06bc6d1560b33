import { expect, it } from 'vitest'
import { createLoggerExporter } from '../../src/exporters/logger-exporter.ts'
import { EmissionsTracker } from '../../src/index.ts'
import { itIsAnExporter } from '../contract/exporter.ts'
import { upstreamColumns } from '../fixtures/csv/columns.ts'
import { recordOf, reportOf, unmeasuredRecord } from '../fixtures/csv/records.ts'
import { fakeMachine } from '../tracker/fake-machine.ts'

const parse = (line: string): Record<string, unknown> => JSON.parse(line) as Record<string, unknown>

itIsAnExporter('the log', () => {
  const lines: Record<string, unknown>[] = []
  const named = (name: string): string[] =>
    lines.flatMap((line) => (typeof line[name] === 'string' ? [line[name]] : []))
  return {
    exporter: createLoggerExporter((line) => lines.push(parse(line))),
    delivered: () => named('run_id').filter((_id, index) => lines[index]?.['task_name'] === undefined),
    deliveredTasks: () => named('task_name'),
  }
})

it('has the columns of the CSV file as keys, numbers as numbers and null for what is unknown', async () => {
  const lines: string[] = []
  const exporter = createLoggerExporter((line) => lines.push(line))
  await exporter.export(reportOf('live', recordOf({ projectName: 'two\nlines' })))
  await exporter.export(reportOf('stop', unmeasuredRecord()))
  const [first = '', second = ''] = lines
  expect(Object.keys(parse(first)).slice(0, 38)).toEqual(upstreamColumns)
  expect(parse(first)).toMatchObject({ project_name: 'two\nlines', emissions: 0.000044, cpu_count: 8 })
  expect(first).not.toContain('\n')
  expect(parse(second)).toMatchObject({ emissions: null, energy_consumed: null, region: null, pue: 1 })
})

it('is the logger of the program, where it has one', async () => {
  const said: string[] = []
  const note = (message: string): void => void said.push(message)
  const logger = { debug: note, info: note, warn: note, error: note }
  const machine = fakeMachine()
  const options = { ...machine.options, logLevel: 'info', outputMethods: ['logger'], logger } as const
  const tracker = new EmissionsTracker(options).start()
  machine.use(36)
  await tracker.flush()
  await tracker.stop()
  const records = said.flatMap((line) => (/^\[codecarbon\] (\{.*\})$/.exec(line) ?? []).slice(1)).map(parse)
  expect(records).toHaveLength(2)
  expect(records[0]).toMatchObject({ project_name: 'codecarbon', run_id: tracker.finalEmissionsData?.runId })
})
