import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { createTextfileExporter } from '../../../src/exporters/prometheus/textfile.ts'
import { EmissionsTracker } from '../../../src/index.ts'
import { itIsAnExporter } from '../../contract/exporter.ts'
import { reportOf } from '../../fixtures/csv/records.ts'
import { runProgram } from '../../fixtures/programs/child.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'
import { viewOf } from '../../fixtures/run-view.ts'
import { fakeMachine } from '../../tracker/fake-machine.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = temporaryFolder()
  file = join(folder, 'codecarbon.prom')
})

const read = (): string => (readdirSync(folder).includes('codecarbon.prom') ? readFileSync(file, 'utf8') : '')
const all = (pattern: RegExp): string[] => [...read().matchAll(pattern)].map(([, found = '']) => found)

itIsAnExporter('the file for node_exporter', () => {
  const exporter = createTextfileExporter({ path: file })
  void exporter.open?.(() => viewOf())
  return {
    exporter,
    delivered: () => all(/^codecarbon_run_info\{.*run_id="([^"]*)".*\} 1$/gm),
    deliveredTasks: () => all(/^codecarbon_task_duration_seconds_count\{task="([^"]*)"\} 1$/gm),
  }
})

describe('the file', () => {
  it('has the figures of the run to its end, and stays', async () => {
    const machine = fakeMachine()
    const tracker = new EmissionsTracker({ ...machine.options, prometheusTextfile: file }).start()
    machine.use(36)
    await tracker.flush()
    machine.use(14)
    await tracker.stop()
    expect(read()).toMatch(/^hw_energy_joules_total\{.*hw_name="package-0".*\} 50$/m)
  })

  it('may be read by everybody, whatever new files are like, and nothing is left beside it', async () => {
    const before = process.umask(0o077)
    try {
      const exporter = createTextfileExporter({ path: file })
      await exporter.open?.(() => viewOf())
      await exporter.export(reportOf('live'))
      expect(statSync(file).mode & 0o777).toBe(0o644)
      chmodSync(file, 0o600)
      await exporter.export(reportOf('live'))
      expect(statSync(file).mode & 0o777).toBe(0o644)
    } finally {
      process.umask(before)
    }
    expect(readdirSync(folder)).toEqual(['codecarbon.prom'])
  })

  it('has the end of a program that stops nothing, though it never gave way to anybody', async () => {
    const env = { CODECARBON_PROMETHEUS_TEXTFILE: file }
    await runProgram('endings.js', ['blocked, then exit'], { folder, env })
    expect(read()).toContain('codecarbon_run_info{project_name="ending"')
  })
})
