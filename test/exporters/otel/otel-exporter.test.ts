import { metrics as api } from '@opentelemetry/api'
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { MeterProvider, type ResourceMetrics } from '@opentelemetry/sdk-metrics'
import { describe, expect, it, onTestFinished } from 'vitest'
import { metricSpecs, metricTable, prometheusName } from '../../../src/exporters/metrics.ts'
import { collectorNames, createOtelExporter } from '../../../src/exporters/otel/otel-exporter.ts'
import { EmissionsTracker } from '../../../src/index.ts'
import { taskOf } from '../../fixtures/csv/records.ts'
import { viewOf } from '../../fixtures/run-view.ts'
import { fakeMachine, type FakeMachine } from '../../tracker/fake-machine.ts'
import { byName, TestReader } from './collected.ts'

interface Followed {
  readonly machine: FakeMachine
  readonly tracker: EmissionsTracker
  readonly reader: TestReader
  collect(): Promise<ReturnType<typeof byName>>
}

/** A run that a program with an SDK of its own has begun. */
async function follow(
  options: { views?: ReturnType<typeof collectorNames>; pue?: number } = {},
): Promise<Followed> {
  const machine = fakeMachine()
  const reader = new TestReader()
  const provider = new MeterProvider({
    readers: [reader],
    ...(options.views ? { views: options.views } : {}),
  })
  const exporter = createOtelExporter({ meterProvider: provider })
  const tracker = new EmissionsTracker({
    ...machine.options,
    outputMethods: [],
    pue: options.pue ?? 1,
    exporters: [exporter],
  }).start()
  onTestFinished(async () => {
    await tracker.stop()
  })
  await tracker.flush()
  return {
    machine,
    tracker,
    reader,
    async collect() {
      const { resourceMetrics, errors } = await reader.collect()
      expect(errors).toEqual([])
      return byName(resourceMetrics)
    },
  }
}

const seriesOf = (found: ReturnType<typeof byName>, name: string): [object, unknown][] =>
  (found.get(name)?.dataPoints ?? []).map(({ attributes, value }) => [attributes, value])

/** Joules of the package. */
const cpuEnergy = (found: ReturnType<typeof byName>): unknown =>
  found.get('hw.energy')?.dataPoints.find(({ attributes }) => attributes['hw.type'] === 'cpu')?.value

describe('the exporter for OpenTelemetry', () => {
  it('tells at the end what the run has used, with the attributes of the table', async () => {
    const { machine, tracker, reader } = await follow()
    machine.use(36)
    machine.use(4, 'dram')
    await tracker.stop()
    const found = byName(reader.flushed.at(-1) as ResourceMetrics)
    const device = (name: string, type: string): object => ({
      'hw.id': `rapl:${name}`,
      'hw.type': type,
      'hw.name': name,
      'codecarbon.method': 'rapl',
    })
    expect(seriesOf(found, 'hw.energy')).toEqual([
      [device('dram-0', 'memory'), 4],
      [device('package-0', 'cpu'), 36],
    ])
    const kg = tracker.finalEmissionsData?.emissions ?? 0
    const grams = seriesOf(found, 'codecarbon.emissions').map(([, value]) => Number(value))
    expect(grams.reduce((sum, value) => sum + value, 0)).toBeCloseTo(kg * 1000, 12)
  })

  it('gives each metric the unit, the help, and no attribute that is not in the table, and leaves out what is not known', async () => {
    const { machine, tracker, reader } = await follow({ pue: 1.5 })
    machine.use(36)
    tracker.startTask('epoch').stop()
    await tracker.stop()
    const found = byName(reader.flushed.at(-1) as ResourceMetrics)
    const specs = new Map(metricSpecs.map(([, spec]) => [spec.name, spec]))
    expect(found.size).toBeGreaterThan(15)
    for (const [name, { descriptor, dataPoints }] of found) {
      const spec = specs.get(name)
      expect([descriptor.unit, descriptor.description]).toEqual([spec?.unit, spec?.help])
      for (const { attributes } of dataPoints) {
        expect(Object.keys(attributes).filter((key) => !spec?.attributes.includes(key))).toEqual([])
        expect(Object.values(attributes)).not.toContain('')
      }
    }
  })

  it('tells the same to two who ask at the same time', async () => {
    const { machine, collect } = await follow()
    machine.use(36)
    const values = (found: ReturnType<typeof byName>): unknown =>
      [...found].map(([name]) => [name, seriesOf(found, name)])
    expect(values(await collect())).toEqual(values(await collect()))
  })

  it('puts tasks into histograms with the buckets of the table, under a bounded number of names', async () => {
    const { tracker, collect } = await follow()
    for (let index = 0; index < 300; index += 1) tracker.startTask(`task ${index}`).stop()
    const found = await collect()
    const duration = found.get('codecarbon.task.duration')
    expect(duration?.dataPoints.length).toBe(101)
    const others = duration?.dataPoints.find(({ attributes }) => attributes['task'] === '_other')
    expect(others?.value).toMatchObject({
      count: 200,
      buckets: { boundaries: metricTable.taskDuration.buckets },
    })
  })

  it('is asked for nothing once the run has ended', async () => {
    const { machine, tracker, reader, collect } = await follow()
    await tracker.stop()
    expect(reader.flushed).toHaveLength(1)
    machine.use(1000)
    const energy = seriesOf(await collect(), 'hw.energy').map(([, value]) => value)
    expect(energy).toEqual([0, 0])
  })

  it('tells a machine once of two runs, and the other goes on from zero', { timeout: 20_000 }, async () => {
    const machine = fakeMachine()
    const start = (): { tracker: EmissionsTracker; collect: () => Promise<ReturnType<typeof byName>> } => {
      const reader = new TestReader()
      const exporter = createOtelExporter({ meterProvider: new MeterProvider({ readers: [reader] }) })
      const options = { ...machine.options, outputMethods: [], exporters: [exporter] }
      const tracker = new EmissionsTracker(options).start()
      onTestFinished(async () => {
        await tracker.stop()
      })
      return { tracker, collect: async () => byName((await reader.collect()).resourceMetrics) }
    }
    const first = start()
    const second = start()
    await Promise.all([first.tracker.flush(), second.tracker.flush()])
    machine.use(50)
    expect([...(await second.collect()).keys()].filter((name) => name.startsWith('hw.'))).toEqual([])
    await first.tracker.stop()
    expect(first.tracker.finalEmissionsData?.cpuEnergy).toBeCloseTo(50 / 3.6e6, 12)
    await expect.poll(async () => cpuEnergy(await second.collect()), { timeout: 10_000 }).toBe(0)
    machine.use(7)
    await expect.poll(async () => cpuEnergy(await second.collect()), { timeout: 10_000 }).toBe(7)
    await second.tracker.stop()
    // Its own results have everything.
    expect(second.tracker.finalEmissionsData?.cpuEnergy).toBeCloseTo(57 / 3.6e6, 12)
  })

  it('follows a second run after the first, and goes on to count, as the series of a program do', async () => {
    const machine = fakeMachine()
    const reader = new TestReader()
    const exporter = createOtelExporter({ meterProvider: new MeterProvider({ readers: [reader] }) })
    const tracker = new EmissionsTracker({ ...machine.options, outputMethods: [], exporters: [exporter] })
    const runs: unknown[] = []
    for (const joules of [50, 20]) {
      tracker.start()
      runs.push(tracker.runId)
      machine.use(joules)
      await tracker.stop()
    }
    expect(reader.flushed.map((each) => cpuEnergy(byName(each)))).toEqual([50, 70])
    const told = reader.flushed.map((each) =>
      byName(each)
        .get('codecarbon.run.info')
        ?.dataPoints.map(({ attributes }) => attributes['run_id']),
    )
    expect(told).toEqual(runs.map((run) => [run]))
  })

  it('has no power and no facts of a run that has ended, for a reader that wants totals', async () => {
    const { machine, tracker, reader, collect } = await follow()
    machine.use(36)
    tracker.startTask('epoch').stop()
    await tracker.flush()
    const during = await collect()
    await tracker.stop()
    const after = await collect()
    expect(during.has('codecarbon.run.info')).toBe(true)
    const isGauge = (name: string): boolean =>
      metricSpecs.some(([, spec]) => spec.name === name && spec.instrument === 'gauge')
    expect([...after.keys()].filter(isGauge)).toEqual([])
    const counted = [...byName(reader.flushed.at(-1) as ResourceMetrics)].filter(([name]) => !isGauge(name))
    expect([...after].map(([name]) => [name, seriesOf(after, name)])).toEqual(
      counted.map(([name, { dataPoints }]) => [
        name,
        dataPoints.map(({ attributes, value }) => [attributes, value]),
      ]),
    )
  })

  it('tells of a task no sooner than of what the run has used, which is a second old at most', async () => {
    const reader = new TestReader()
    const exporter = createOtelExporter({ meterProvider: new MeterProvider({ readers: [reader] }) })
    let view = viewOf()
    await exporter.open?.(() => view)
    const tasks = async (): Promise<unknown[]> =>
      (byName((await reader.collect()).resourceMetrics).get('codecarbon.task.energy')?.dataPoints ?? []).map(
        ({ value }) => (value as { count: number }).count,
      )
    exporter.onTask?.(taskOf('epoch'))
    expect(await tasks()).toEqual([1])
    exporter.onTask?.(taskOf('epoch'))
    exporter.onTask?.(taskOf('epoch'))
    expect(await tasks()).toEqual([1])
    view = viewOf()
    expect(await tasks()).toEqual([3])
    exporter.onTask?.(taskOf('epoch'))
    await exporter.close?.()
    expect(await tasks()).toEqual([4])
  })
})

describe('without a provider of its own', () => {
  it('does nothing where the program has no SDK', async () => {
    const machine = fakeMachine()
    const tracker = new EmissionsTracker({
      ...machine.options,
      outputMethods: [],
      exporters: [createOtelExporter()],
    }).start()
    tracker.startTask('epoch').stop()
    machine.use(10)
    await tracker.stop()
    expect(tracker.finalEmissionsData?.cpuEnergy).toBeCloseTo(10 / 3.6e6, 12)
    expect(tracker.finalEmissionsData?.problems).toEqual([])
  })

  it('takes the global one, even one that is set after the start', async () => {
    const machine = fakeMachine()
    const tracker = new EmissionsTracker({
      ...machine.options,
      outputMethods: [],
      exporters: [createOtelExporter()],
    }).start()
    await tracker.flush()
    const reader = new TestReader()
    api.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
    onTestFinished(() => {
      api.disable()
    })
    tracker.startTask('epoch').stop()
    machine.use(10)
    await tracker.stop()
    const found = byName(reader.flushed.at(-1) as ResourceMetrics)
    expect(cpuEnergy(found)).toBe(10)
    expect(found.get('codecarbon.task.duration')?.dataPoints).toHaveLength(1)
  })
})

describe('the views', () => {
  it('give the Prometheus exporter of OpenTelemetry the names of the Collector, except for units per another', async () => {
    const { machine, tracker, reader } = await follow({ views: collectorNames(), pue: 1.5 })
    machine.use(36)
    tracker.startTask('epoch').stop()
    await tracker.stop()
    const text = new PrometheusSerializer().serialize(reader.flushed.at(-1) as ResourceMetrics)
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
    const expected = new Set(metricSpecs.map(([, spec]) => prometheusName(spec)))
    const others = names.filter((name) => !expected.has(name ?? '') && name !== 'target_info')
    expect(others).toEqual(['codecarbon_carbon_intensity'])
    expect(names).toContain('hw_energy_joules_total')
    expect(names).toContain('codecarbon_task_energy_joules')
  })

  it('leave the buckets of histograms as they are', async () => {
    const { tracker, collect } = await follow({ views: collectorNames() })
    tracker.startTask('epoch').stop()
    const duration = (await collect()).get('codecarbon.task.duration.seconds')
    expect(duration?.dataPoints[0]?.value).toMatchObject({
      buckets: { boundaries: metricTable.taskDuration.buckets },
    })
  })
})
