import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { OpeningExperiment } from '../../../src/integrations/comet/comet-experiment.ts'
import { cometRig, type CometRig } from '../../fixtures/comet/rig.ts'
import type { Fault } from '../../fixtures/comet/simulator.ts'

type Log = (experiment: OpeningExperiment, folder: string) => void

/** What arrives of two things, where nobody knows what became of the second. */
async function arrive(first: Log, second: Log, fault: Fault, path: string): Promise<CometRig> {
  const rig = cometRig()
  const experiment = rig.begin({ autoLogSystem: false })
  await rig.until(experiment.opened)
  first(experiment, rig.folder)
  await rig.until(experiment.flush())
  rig.comet.fail(fault, { path, times: 1 })
  second(experiment, rig.folder)
  // A file is read in time that the clock knows nothing of.
  await rig.until(experiment.flush({ timeoutMs: 60_000 }))
  await rig.until(experiment.end())
  return rig
}

const timestampMs = 1_767_225_600_000

it.each([
  ['by step', { step: 1 }, { step: 2 }],
  ['by epoch', { epoch: 1 }, { epoch: 2 }],
  ['by context', { context: 'train' }, {}],
  ['by time', { timestampMs: timestampMs + 1 }, {}],
])('points that differ only %s both come, each once', async (_title, one, other) => {
  for (const fault of ['reset', 'commit and reset'] as const) {
    const { comet } = await arrive(
      (experiment) => {
        experiment.logMetric('m', 0.5, { timestampMs, ...one })
      },
      (experiment) => {
        experiment.logMetric('m', 0.5, { timestampMs, ...other })
      },
      fault,
      'experiment/metric',
    )
    expect(comet.experiment.metrics, fault).toHaveLength(2)
  }
})

it('points of one moment that are all the same come as often as they were logged', async () => {
  const { comet, begin, until } = cometRig()
  const experiment = begin()
  await until(experiment.opened)
  await until(experiment.flush())
  for (let turn = 0; turn < 12; turn += 1) experiment.logMetric('m', 0.5)
  for (const fault of ['reset', 'commit and reset', 'reset'] as const)
    comet.fail(fault, { path: 'experiment/metric', times: 1 })
  await until(experiment.end())
  expect(comet.experiment.metrics).toHaveLength(12)
})

const logData =
  (content: string): Log =>
  (experiment) => {
    experiment.logAsset(Buffer.from(content), { fileName: 'data' })
  }

it('two files that only differ in what is in them both come', async () => {
  for (const fault of ['reset', 'commit and reset'] as const) {
    const { comet } = await arrive(logData('one'), logData('two'), fault, 'upload-asset')
    expect(comet.experiment.assets.map(({ bytes }) => bytes.toString())).toEqual(['one', 'two'])
  }
})

it('a file by its path comes once', async () => {
  const { comet } = await arrive(
    () => undefined,
    (experiment, folder) => {
      writeFileSync(join(folder, 'weights.bin'), 'abc')
      experiment.logAsset(join(folder, 'weights.bin'))
    },
    'commit and reset',
    'upload-asset',
  )
  expect(comet.experiment.assets.map(({ bytes }) => bytes.toString())).toEqual(['abc'])
})

it('a point comes though the list of its metric has megabytes', async () => {
  const { comet, begin, until } = cometRig()
  const experiment = begin()
  await until(experiment.opened)
  for (let step = 0; step < 20_000; step += 1) {
    const point = { step, timestamp: timestampMs, epoch: undefined, context: undefined }
    comet.experiment.metrics.push({ metricName: 'm', metricValue: step, ...point })
  }
  comet.fail('reset', { path: 'experiment/metric', times: 1 })
  experiment.logMetric('m', 0.5)
  await until(experiment.end())
  expect(comet.experiment.metrics).toHaveLength(20_001)
  const query = { experimentKey: experiment.key ?? '', metricName: 'm' }
  expect((await comet.read('experiment/metrics/get-metric', query)).length).toBeGreaterThan(1_000_000)
})
