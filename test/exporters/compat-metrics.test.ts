import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { compatMetrics } from '../../src/exporters/compat-metrics.ts'
import { metricSpecs, prometheusName } from '../../src/exporters/metrics.ts'
import {
  createPrometheusExporter,
  type PrometheusExporter,
} from '../../src/exporters/prometheus/prometheus-exporter.ts'
import { EmissionsTracker, type TrackerOptions } from '../../src/index.ts'
import { fakeMachine } from '../tracker/fake-machine.ts'

const names = compatMetrics.map(({ name }) => name)
/** Of a machine whose graphics processors nobody can list. */
const told = names.filter((name) => !name.includes('gpu'))

/** Series with one of these names, without their labels, and those of the labels that have a value. */
function compatIn(text: string): { values: Record<string, number>; labels: Record<string, string> } {
  const lines = text.split('\n').filter((line) => names.some((name) => line.startsWith(`${name}{`)))
  const values = lines.map((line) => [line.split('{')[0] ?? '', Number(line.split(' ').at(-1))] as const)
  const labels = [...(lines[0] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
  return {
    values: Object.fromEntries(values),
    labels: Object.fromEntries(labels.map(([, name = '', value = '']) => [name, value])),
  }
}

/** A run on a fake machine that used 3.6 MJ, was flushed, and used 1.8 MJ more. */
async function run(options: TrackerOptions = {}): Promise<{ flushed: string; stopped: string }> {
  const machine = fakeMachine()
  const file = join(machine.folder, 'metrics.prom')
  const tracker = new EmissionsTracker({
    ...machine.options,
    projectName: 'train',
    prometheusTextfile: file,
    prometheusCompatNames: true,
    ...options,
  }).start()
  machine.use(100)
  await tracker.flush()
  const flushed = readFileSync(file, 'utf8')
  machine.use(36)
  await tracker.stop()
  return { flushed, stopped: readFileSync(file, 'utf8') }
}

describe('metrics under the names of CodeCarbon for Python', () => {
  it('are those of no other metric', () => {
    const own = metricSpecs.map(([, spec]) => prometheusName(spec))
    expect(own.filter((name) => names.includes(name))).toEqual([])
  })

  it('hold what came between two reports, and the energy of the whole run', async () => {
    const { flushed, stopped } = await run()
    const [before, after] = [compatIn(flushed).values, compatIn(stopped).values]
    expect(before['codecarbon_cpu_energy']).toBeCloseTo(100 / 3.6e6, 12)
    expect(before['codecarbon_energy_total']).toBeCloseTo(100 / 3.6e6, 12)
    expect(after['codecarbon_cpu_energy']).toBeCloseTo(36 / 3.6e6, 12)
    expect(after['codecarbon_energy_consumed']).toBeCloseTo(36 / 3.6e6, 12)
    expect(after['codecarbon_energy_total']).toBeCloseTo(136 / 3.6e6, 12)
    expect(Object.keys(after)).toEqual(told)
  })

  it('say what they are of in each label', async () => {
    const { labels } = compatIn((await run()).stopped)
    expect(labels).toMatchObject({
      project_name: 'train',
      country_iso_code: 'FRA',
      country_name: 'France',
      region: '',
      cpu_count: '4',
      gpu_count: '',
      tracking_mode: 'machine',
      ram_total_size: '16',
    })
    expect(Object.keys(labels)).toHaveLength(14)
  })

  it('are not there unless they are asked for', async () => {
    const { stopped } = await run({ prometheusCompatNames: false })
    expect(compatIn(stopped).values).toEqual({})
  })

  it('are there for a scrape in either format, and in a registry of the program', async () => {
    const machine = fakeMachine()
    const prometheus: PrometheusExporter = createPrometheusExporter({ hasCompatNames: true })
    const registry = new Registry()
    await prometheus.collectInto(registry)
    const tracker = new EmissionsTracker({ ...machine.options, exporters: [prometheus] }).start()
    expect(compatIn((await prometheus.metrics()).body).values).toEqual({})
    machine.use(36)
    await tracker.flush()
    const texts = [
      (await prometheus.metrics()).body,
      (await prometheus.metrics('openmetrics')).body,
      await registry.metrics(),
    ]
    for (const text of texts) {
      const { values } = compatIn(text)
      expect(Object.keys(values)).toEqual(told)
      expect(values['codecarbon_energy_total']).toBeCloseTo(36 / 3.6e6, 12)
    }
    await tracker.stop()
  })
})
