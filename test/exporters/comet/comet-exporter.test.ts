import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import type { EmissionsData } from '../../../src/core/emissions-data.ts'
import type { Exporter } from '../../../src/core/exporter.ts'
import { createCometExporter, type CometLog } from '../../../src/exporters/comet/comet-exporter.ts'
import { itIsAnExporter } from '../../contract/exporter.ts'
import { upstreamColumns } from '../../fixtures/csv/columns.ts'
import { recordOf, reportOf, taskOf, unmeasuredRecord } from '../../fixtures/csv/records.ts'
import { viewOf } from '../../fixtures/run-view.ts'
import { fakeClock, type FakeClock } from '../../fixtures/fake-clock.ts'

/** Something that was logged: what, when, and how many requests it makes. */
interface Logged {
  readonly what: 'metrics' | 'parameters' | 'others' | 'html' | 'asset'
  readonly atSeconds: number
  readonly values: Readonly<Record<string, unknown>>
  readonly options: Readonly<Record<string, unknown>>
}

interface Rig {
  readonly exporter: Exporter
  readonly logged: Logged[]
  readonly clock: FakeClock
  /** The experiment ends. */
  endExperiment(): void
}

function rig(options: Partial<Parameters<typeof createCometExporter>[0]> = {}): Rig {
  const clock = fakeClock()
  const logged: Logged[] = []
  const atEnd = new Set<() => void>()
  const note = (what: Logged['what'], values: object, given: object = {}): void => {
    const atSeconds = clock.now().monotonic
    logged.push({ what, atSeconds, values: values as Logged['values'], options: given as Logged['options'] })
  }
  const experiment: CometLog = {
    logMetrics: (values, given) => {
      note('metrics', values, given)
    },
    logParameters: (values) => {
      note('parameters', values)
    },
    logOthers: (values) => {
      note('others', values)
    },
    logHtml: (html, given) => {
      note('html', { html }, given)
    },
    logAsset: (bytes, given) => {
      note('asset', { text: Buffer.from(bytes).toString() }, given)
    },
    fail: () => undefined,
    beforeEnd: (tell) => {
      atEnd.add(tell)
      return () => atEnd.delete(tell)
    },
    flush: () => Promise.resolve(true),
    end: () => Promise.resolve(),
    endSync: () => undefined,
  }
  const comparisons = (): string[] => ['180 m in an average US passenger car']
  return {
    exporter: createCometExporter({ experiment, clock, comparisons, ...options }),
    logged,
    clock,
    endExperiment() {
      for (const tell of atEnd) tell()
    },
  }
}

const rowsOf = (logged: readonly Logged[]): Record<string, string>[] =>
  logged.flatMap(({ what, values }) =>
    what === 'asset' ? parse<Record<string, string>>(String(values['text']), { columns: true }) : [],
  )
const requests = ({ what, values }: Logged): number =>
  what === 'asset' || what === 'html' ? 1 : Object.keys(values).length

itIsAnExporter('an experiment of Comet', () => {
  const { exporter, logged } = rig()
  return {
    exporter,
    delivered: () =>
      rowsOf(logged.filter(({ atSeconds }) => atSeconds > 0)).map((row) => row['run_id'] ?? ''),
    deliveredTasks: () =>
      logged.flatMap(({ what, options }) =>
        what === 'metrics' && 'context' in options ? [String(options['context'])] : [],
      ),
  }
})

describe('what an experiment of Comet is told', () => {
  it('is one asset of 38 columns and one row, replaced each time', async () => {
    const { exporter, logged } = rig()
    await exporter.export(reportOf('flush', recordOf({ projectName: 'a, "b"\nc' })))
    const [asset] = logged
    expect(asset?.options).toEqual({ fileName: 'emissions.csv', overwrite: true })
    const text = String(asset?.values['text'])
    expect(text.split('\n')[0]).toBe(upstreamColumns.join(','))
    expect(text).toMatch(/[^\r]\n$/)
    expect(rowsOf(logged)).toMatchObject([
      { project_name: 'a, "b"\nc', emissions: '0.000044', country_name: 'France' },
    ])
  })

  it('are the totals so far and the mean power since the last time, also of reports that were left out', async () => {
    const { exporter, logged, clock } = rig()
    const at = (duration: number, energyJoules: number): EmissionsData => {
      const { components, ...rest } = recordOf()
      const [cpu, ram] = components
      if (cpu === undefined || ram === undefined) throw new Error('no components')
      return {
        ...rest,
        duration,
        pue: 2,
        components: [
          { ...cpu, energyJoules },
          { ...ram, energyJoules: undefined },
        ],
      }
    }
    await exporter.export(reportOf('live', at(10, 1000)))
    await exporter.export(reportOf('live', at(20, 1500)))
    await exporter.export(reportOf('live', at(30, 3000)))
    await exporter.export(reportOf('live', at(40, 3500)))
    await exporter.export(reportOf('live', at(50, 9999)))
    clock.advance(60)
    await exporter.export(reportOf('live', at(90, 13_500)))
    const metrics = logged.filter(({ what }) => what === 'metrics')
    expect(metrics.map(({ values, options }) => [options['step'], values['codecarbon_cpu_power']])).toEqual([
      [10, 50],
      [20, 25],
      [30, 75],
      [40, 25],
      [90, 100],
    ])
    expect(metrics[0]?.values).toMatchObject({
      codecarbon_emissions: 0.000044,
      codecarbon_energy_consumed: 0.001,
      codecarbon_measured_share: 0.9,
      codecarbon_carbon_intensity: 44,
    })
    expect(metrics[0]?.values).not.toHaveProperty('codecarbon_ram_power')
    expect(metrics[0]?.values).not.toHaveProperty('codecarbon_gpu_energy')
    expect(metrics.at(-1)?.values).not.toHaveProperty('codecarbon_carbon_intensity')
  })

  it('are hardware, methods, place and sources once, totals and comparisons at the end', async () => {
    const { exporter, logged } = rig()
    await exporter.export(reportOf('live'))
    await exporter.export(reportOf('stop'))
    const of = (what: Logged['what']): Readonly<Record<string, unknown>>[] =>
      logged.filter((one) => one.what === what).map(({ values }) => values)
    expect(of('parameters')).toEqual([
      expect.objectContaining({
        codecarbon_cpu_method: 'measured (rapl)',
        codecarbon_ram_method: 'estimated (ram-estimate)',
        codecarbon_country: 'France',
        codecarbon_intensity_source: 'Ember, 2024',
        codecarbon_tracking_mode: 'machine',
      }),
      {},
    ])
    expect(of('others')).toEqual([
      expect.objectContaining({
        'CO2 emissions (kg)': 0.000044,
        'CO2 emissions, low (kg)': 0.00004,
        'Energy (kWh)': 0.001,
        Country: 'France',
        'About 1': '180 m in an average US passenger car',
      }),
    ])
  })

  it('is unmeasured where nobody could tell, and no figure', async () => {
    const { exporter, logged } = rig()
    await exporter.export(reportOf('stop', unmeasuredRecord()))
    const [metrics] = logged.filter(({ what }) => what === 'metrics')
    expect(metrics?.values).toEqual({ codecarbon_duration: 120, codecarbon_carbon_intensity: 44 })
    expect(logged.find(({ what }) => what === 'others')?.values).toMatchObject({
      'Energy (kWh)': 'unmeasured',
    })
    expect(String(logged.find(({ what }) => what === 'html')?.values['html'])).toContain('unmeasured')
  })

  it('are tasks by name, and epochs by number', async () => {
    const { exporter, logged } = rig()
    const tasks = [1, 2].map((epoch) => taskOf(`epoch ${epoch}`, { energyConsumed: epoch / 1000 }))
    await exporter.export(
      reportOf('live', recordOf(), [...tasks, taskOf('load'), taskOf('load', { duration: 20 })]),
    )
    const told = logged.filter(({ options }) => 'context' in options)
    expect(
      told.map(({ values, options }) => [
        options['context'],
        options['epoch'],
        values['codecarbon_task_energy_consumed'],
        values['codecarbon_task_duration'],
      ]),
    ).toEqual([
      ['epoch', 1, 0.001, 60],
      ['epoch', 2, 0.002, 60],
      ['load', undefined, 0.001, 40],
    ])
  })

  it('is a page that shows names of other people as they are', async () => {
    const { exporter, logged } = rig()
    await exporter.export(
      reportOf('stop', recordOf({ projectName: '<script>alert("x")</script>' }), [taskOf('<b>&')]),
    )
    const page = logged.find(({ what }) => what === 'html')
    expect(page?.options).toEqual({ override: true })
    const html = String(page?.values['html'])
    expect(html).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;')
    expect(html).toContain('&lt;b&gt;&amp;')
    expect(html).not.toMatch(/<script|<b>/)
  })
})

describe('an experiment of Comet is told', () => {
  it('no more than 48 things a minute while the run goes on, however often it reports and flushes', async () => {
    const { exporter, logged, clock } = rig()
    for (let second = 1; second <= 600; second += 1) {
      clock.advance(1)
      const tasks = Array.from({ length: 20 }, (_, index) => taskOf(`task ${second}-${index}`))
      const record = recordOf({ duration: second, measuredShare: second / 1000 })
      await exporter.export(reportOf(second % 7 === 0 ? 'flush' : 'live', record, tasks))
    }
    for (const { atSeconds } of logged) {
      const inMinute = logged.filter((one) => one.atSeconds > atSeconds - 60 && one.atSeconds <= atSeconds)
      expect(inMinute.reduce((sum, one) => sum + requests(one), 0)).toBeLessThanOrEqual(48)
    }
    expect(rowsOf(logged).length).toBeGreaterThan(20)
    const names = new Set(logged.map(({ options }) => options['context']))
    expect(names.size).toBeLessThanOrEqual(102)
  })

  it('the end of a run whatever was told before', async () => {
    const { exporter, logged } = rig()
    for (let turn = 0; turn < 10; turn += 1) await exporter.export(reportOf('flush'))
    await exporter.export(reportOf('stop', recordOf({ duration: 240 })))
    expect(rowsOf(logged).at(-1)).toMatchObject({ duration: '240' })
  })

  it('the run itself after 10 s and then each 30 s, however seldom it reports, until it ends', async () => {
    const { exporter, logged, clock } = rig()
    const begun = clock.now().monotonic
    void exporter.open?.(() => viewOf(recordOf({ duration: clock.now().monotonic - begun })))
    for (let second = 0; second < 120; second += 1) clock.advance(1)
    expect(rowsOf(logged).map((row) => Number(row['duration']))).toEqual([10, 40, 70, 100])
    await exporter.export(reportOf('stop'))
    await exporter.close?.()
    const before = logged.length
    clock.advance(100)
    expect(logged).toHaveLength(before)
    expect(clock.waiting).toBe(0)
  })

  it('of all tasks at the end, also where there are more than there was room for, and of epochs as one series', async () => {
    const { exporter, logged } = rig()
    const names = Array.from({ length: 40 }, (_, index) => `step ${index}`)
    const epochs = Array.from({ length: 130 }, (_, index) => taskOf(`epoch ${index + 1}`))
    await exporter.export(
      reportOf(
        'live',
        recordOf(),
        names.map((name) => taskOf(name)),
      ),
    )
    await exporter.export(reportOf('stop', recordOf({ duration: 240 }), epochs))
    const told = logged.flatMap(({ options }) => ('context' in options ? [options] : []))
    expect(new Set(told.map(({ context }) => context))).toEqual(new Set([...names, 'epoch']))
    expect(told.filter(({ context }) => context === 'epoch').map(({ epoch }) => epoch)).toEqual(
      Array.from({ length: 130 }, (_, index) => index + 1),
    )
  })

  it('the figures up to its end, where it ends before the run does, and nothing more', async () => {
    const { exporter, logged, endExperiment } = rig()
    void exporter.open?.(() => viewOf(recordOf({ duration: 77 })))
    exporter.onTask?.(taskOf('epoch 1'))
    endExperiment()
    expect(rowsOf(logged)).toMatchObject([{ duration: '77' }])
    expect(logged.find(({ options }) => options['context'] === 'epoch')?.options).toEqual({
      epoch: 1,
      context: 'epoch',
    })
    expect(logged.map(({ what }) => what)).toContain('others')
    const before = logged.length
    await exporter.export(reportOf('stop', recordOf(), [taskOf('late')]))
    endExperiment()
    expect(logged).toHaveLength(before)
  })

  it('nothing at a signal that the program may live through', async () => {
    const { exporter, logged } = rig()
    await exporter.export(reportOf('signal'))
    exporter.exportSync?.(reportOf('signal'))
    expect(logged).toEqual([])
  })
})

it('an experiment of its own ends with the run, and what is wrong with it is an error of the output', async () => {
  const ended: string[] = []
  const problem = 'Comet at comet.test cannot be reached'
  const { logged, clock } = rig()
  const experiment = {
    ...({ logMetrics: () => undefined, logParameters: () => undefined, logOthers: () => undefined } as const),
    ...({
      logHtml: () => undefined,
      logAsset: () => undefined,
      flush: () => Promise.resolve(false),
    } as const),
    fail: (error: unknown) => void ended.push(`fail ${String(error)}`),
    beforeEnd: () => () => undefined,
    end: () => {
      ended.push('end')
      return Promise.resolve()
    },
    endSync: () => void ended.push('endSync'),
  }
  const comparisons = (): string[] => []
  const exporter = createCometExporter({
    experiment,
    clock,
    comparisons,
    isOwner: true,
    problem: () => problem,
    failure: () => 'exit code 7',
  })
  await expect(exporter.export(reportOf('flush'))).rejects.toThrow(problem)
  exporter.exportSync?.(reportOf('exit'))
  await exporter.close?.()
  expect(ended).toEqual(['fail exit code 7', 'endSync', 'end'])
  expect(logged).toEqual([])
})
