import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ScopeRecord } from '../../src/core/scope-record.ts'
import { createPrometheusExporter } from '../../src/exporters/prometheus/prometheus-exporter.ts'
import { createTextfileExporter } from '../../src/exporters/prometheus/textfile.ts'
import { reportOf } from '../fixtures/csv/records.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'
import { viewOf } from '../fixtures/run-view.ts'

const good: ScopeRecord = {
  name: 'mail',
  kind: 'job',
  labels: {},
  outcome: 'ok',
  attribution: 'shared',
  isNested: false,
  endedAtMs: 0,
  durationSeconds: 1,
  energyJoules: 1,
  emissionsGrams: 1,
  functionalUnits: undefined,
  trace: undefined,
}
/** As another version of the package might tell it. */
const broken: ScopeRecord = { ...good, name: 'broken', labels: null as never }
const count = /^codecarbon_task_duration_seconds_count\{task="mail",.*\} 2$/m

describe('a scope that cannot be told', () => {
  it('takes no other out of what a scrape shows, and the run is told of it', async () => {
    const failures: string[] = []
    const exporter = createPrometheusExporter()
    await exporter.open?.(
      () => viewOf(),
      (message) => void failures.push(message),
    )
    exporter.onScopes?.([good, broken, good])
    expect((await exporter.metrics()).body).toMatch(count)
    expect(failures).toEqual([expect.stringMatching(/^a task or scope is missing in the metrics: ./)])
  })

  it('takes no other out of the file for node_exporter, which tells of it', async () => {
    const path = join(temporaryFolder(), 'codecarbon.prom')
    const exporter = createTextfileExporter({ path })
    await exporter.open?.(() => viewOf())
    expect(() => exporter.onScopes?.([good, broken, good])).toThrow(TypeError)
    await exporter.export(reportOf('live'))
    expect(readFileSync(path, 'utf8')).toMatch(count)
  })
})
