import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createJsonlExporter, type JsonlExporterOptions } from '../../src/exporters/jsonl-exporter.ts'
import { toSummary } from '../../src/exporters/summary.ts'
import { itIsAnExporter } from '../contract/exporter.ts'
import { recordOf, reportOf, taskOf } from '../fixtures/csv/records.ts'
import { runProgram } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

let folder: string
let file: string
let state: string

beforeEach((context) => {
  folder = temporaryFolder()
  file = join(folder, 'emissions.jsonl')
  state = join(folder, 'state/codecarbon')
  vi.stubEnv('XDG_STATE_HOME', join(folder, 'state'))
  context.onTestFinished(() => {
    vi.unstubAllEnvs()
  })
})

const exporterIn = (options: Partial<JsonlExporterOptions> = {}): ReturnType<typeof createJsonlExporter> =>
  createJsonlExporter({
    outputDir: folder,
    outputFile: 'emissions.csv',
    csvPath: () => undefined,
    ...options,
  })

const linesOf = (path = file): Record<string, unknown>[] =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    : []

itIsAnExporter('the file of JSON lines', () => {
  const exporter = exporterIn()
  return {
    exporter,
    delivered: () => linesOf().flatMap(({ event, run_id: id }) => (event === 'task' ? [] : [String(id)])),
    deliveredTasks: () =>
      linesOf().flatMap(({ task_name: name }) => (typeof name === 'string' ? [name] : [])),
  }
})

describe('a line', () => {
  it('is the object of --summary-file, behind what happened and when', async () => {
    const exporter = exporterIn({ csvPath: () => 'out/emissions.csv' })
    await exporter.export(reportOf('live'))
    const [line = {}] = linesOf()
    const { event, at, started_at: startedAt, ...rest } = line
    const summary = toSummary({ data: recordOf(), startedAtMs: 0, csvPath: 'out/emissions.csv' })
    expect({ started_at: expect.any(String) as string, ...rest }).toEqual({
      ...(JSON.parse(JSON.stringify(summary)) as object),
      started_at: expect.any(String) as string,
    })
    expect([event, at]).toEqual(['live', '2026-08-08T12:00:00.000Z'])
    expect(Date.parse(String(startedAt))).toBeGreaterThan(0)
  })

  it('of a task has its name and its own time, and comes before that of the run', async () => {
    await exporterIn().export(reportOf('flush', recordOf(), [taskOf('epoch')]))
    const [task, run] = linesOf()
    expect(task).toMatchObject({
      event: 'task',
      task_name: 'epoch',
      duration_seconds: 60,
      at: new Date(2026, 7, 8, 12).toISOString(),
      started_at: new Date(2026, 7, 8, 11, 59).toISOString(),
    })
    expect(run).toMatchObject({ event: 'flush', run_id: 'run-1' })
  })

  it('is one whatever texts it holds', async () => {
    await exporterIn().export(reportOf('stop', recordOf({ projectName: 'a\r\nb"\u2028{}' })))
    expect(linesOf()).toMatchObject([{ project_name: 'a\r\nb"\u2028{}' }])
  })
})

describe('the file', () => {
  it('stands beside the CSV file, wherever that is, and its folder is made', async () => {
    await exporterIn({ outputDir: join(folder, 'a'), outputFile: 'b/runs.csv' }).export(reportOf('stop'))
    expect(linesOf(join(folder, 'a/b/emissions.jsonl'))).toHaveLength(1)
  })

  it('goes on behind a line that another writer did not finish', async () => {
    writeFileSync(file, '{"event":"live"}\n{"event":')
    await exporterIn().export(reportOf('stop'))
    const [, torn, whole = ''] = readFileSync(file, 'utf8').split('\n')
    expect(torn).toBe('{"event":')
    expect(JSON.parse(whole)).toMatchObject({ event: 'stop' })
  })

  it('is locked while it is written to, and no lock is left', async () => {
    const runs = Array.from({ length: 20 }, (_, index) => recordOf({ runId: `run-${index}` }))
    await Promise.all(runs.map(async (run) => exporterIn().export(reportOf('stop', run))))
    expect(
      linesOf()
        .map(({ run_id: id }) => String(id))
        .toSorted(),
    ).toEqual(runs.map(({ runId }) => runId).toSorted())
    expect(readdirSync(folder)).toEqual(['emissions.jsonl'])
  })

  it('is in the state directory where it cannot be where it should, and so is all that follows', async () => {
    appendFileSync(join(folder, 'taken'), '')
    const told: string[] = []
    const outputDir = join(folder, 'taken/below')
    const exporter = exporterIn({ outputDir, onFallback: (message) => told.push(message) })
    await exporter.export(reportOf('flush'))
    exporter.exportSync?.(reportOf('exit'))
    expect(linesOf(join(state, 'emissions.jsonl')).map(({ event }) => event)).toEqual(['flush', 'exit'])
    expect(told).toEqual([
      expect.stringMatching(/emissions\.jsonl cannot be written .*; writing .* instead$/),
    ])
  })

  it('is named by the error where that fails, too', async () => {
    mkdirSync(file)
    mkdirSync(join(state, 'emissions.jsonl'), { recursive: true })
    await expect(exporterIn().export(reportOf('stop'))).rejects.toMatchObject({
      code: 'ERR_EXPORT_FAILED',
      message: expect.stringContaining(join(state, 'emissions.jsonl')) as string,
    })
    expect(() => exporterIn().exportSync?.(reportOf('exit'))).toThrow('cannot be written')
  })
})

it('has the end of a program that stops nothing, though it never gave way to anybody', async () => {
  const env = { CODECARBON_OUTPUT_METHODS: 'jsonl', CODECARBON_OUTPUT_DIR: folder }
  await runProgram('endings.js', ['blocked, then exit'], { folder, env })
  expect(linesOf()).toMatchObject([{ event: 'exit' }])
})
