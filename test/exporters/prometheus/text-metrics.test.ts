import { Registry } from 'prom-client'
import * as prom from 'prom-client'
import { expect, it } from 'vitest'
import type { RunView } from '../../../src/core/exporter.ts'
import { createSeries } from '../../../src/exporters/prometheus/series.ts'
import { createTextMetrics, textContentType } from '../../../src/exporters/prometheus/text-metrics.ts'
import { tickPoint } from '../../../src/exporters/duration-points.ts'
import type { ScopeRecord } from '../../../src/core/scope-record.ts'
import { TaskHistograms } from '../../../src/exporters/task-histograms.ts'
import { endedScope, endedTask } from '../../../src/exporters/ended-task.ts'
import { seconds } from '../../../src/core/units.ts'
import { EmissionsTracker } from '../../../src/index.ts'
import { accounted, recordOf, taskOf } from '../../fixtures/csv/records.ts'
import { viewOf } from '../../fixtures/run-view.ts'
import { fakeMachine } from '../../tracker/fake-machine.ts'

/** Labels in the order of their names, since it has no meaning. */
const seriesIn = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
      return `${name}{${[...labels.matchAll(/\w+="(?:[^"\\]|\\.)*"/g)].map(String).toSorted().join()}} ${value}`
    })
    .toSorted()

async function seenRun(): Promise<RunView> {
  const machine = fakeMachine()
  let look: (() => RunView) | undefined
  const exporter = { name: 'seer', open: (at: () => RunView) => void (look = at), export: () => undefined }
  const tracker = new EmissionsTracker({
    ...machine.options,
    pue: 1.5,
    wue: 2,
    marketCarbonIntensityGCo2eKwh: 5,
    embodiedEmissionsKg: 10,
    functionalUnits: 3,
    projectName: 'a "b" \\ c\nd',
    exporters: [exporter],
  }).start()
  machine.use(36)
  machine.use(3.6, 'dram')
  await tracker.stop()
  return look?.() ?? expect.fail('nobody may look')
}

const jobRecord: ScopeRecord = {
  name: 'mail',
  kind: 'job',
  labels: { queue: 'night', tenant: 'nobody asked for it' },
  outcome: 'completed',
  attribution: 'shared',
  isNested: true,
  endedAtMs: 0,
  durationSeconds: 1.5,
  energyJoules: 12,
  emissionsGrams: 0.001,
  functionalUnits: undefined,
  trace: undefined,
}

it('are the lines that prom-client makes of the same run and tasks', async () => {
  const view = await seenRun()
  const tasks = [
    taskOf('epoch'),
    taskOf('epoch', { duration: 0.001, energyConsumed: 1e-9, emissions: 1e-12 }),
    taskOf('say "\\"\n', { duration: 1e6 }),
    taskOf(crypto.randomUUID(), { energyConsumed: undefined, emissions: undefined }),
  ]
  const registry = new Registry()
  const histograms = new TaskHistograms()
  const series = createSeries(prom, registry, { tasks: histograms })
  const metrics = createTextMetrics()
  for (const task of tasks) {
    histograms.add(endedTask(task))
    metrics.add(endedTask(task))
  }
  for (const outcome of ['completed', 'failed']) {
    const scope = endedScope({ ...jobRecord, outcome })
    histograms.add(scope)
    metrics.add(scope)
  }
  for (const took of [0.0002, 0.003, 2]) {
    series.add(tickPoint(seconds(took)))
    metrics.addTick(seconds(took))
  }
  series.show(view)
  const [expected, actual] = [await registry.metrics(), metrics.render(view)]
  expect(seriesIn(actual)).toEqual(seriesIn(expected))
  expect(seriesIn(actual).length).toBeGreaterThan(80)
  expect(textContentType).toBe(registry.contentType)
  // All that is said of a metric that has series, too, once and before them.
  const comments = actual.split('\n').filter((line) => line.startsWith('#'))
  expect(expected.split('\n')).toEqual(expect.arrayContaining(comments))
  expect(new Set(comments).size).toBe(comments.length)
})

it('are the same whenever they are asked for, and those of now', () => {
  const metrics = createTextMetrics()
  const view = viewOf(recordOf(accounted))
  expect(metrics.render(view)).toBe(metrics.render(view))
  expect(metrics.render(view)).toContain('codecarbon_sci{unit_name="image"} 0.000446\n')
  expect(metrics.render(viewOf())).not.toContain('codecarbon_sci')
})
