import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { cometRig, type CometRig } from '../../fixtures/comet/rig.ts'

type Experiment = ReturnType<CometRig['begin']>

/** What arrives of what is logged, where the answers to two requests get lost though they were carried out. */
async function arrive(
  log: (experiment: Experiment, folder: string) => void,
  path: string,
): Promise<CometRig> {
  const rig = cometRig()
  const experiment = rig.begin({ autoLogSystem: false })
  await rig.until(experiment.opened)
  rig.comet.fail('commit and reset', { path, times: 2 })
  log(experiment, rig.folder)
  await rig.pass(30, 0.25)
  await rig.until(experiment.end())
  return rig
}

it.each([
  ['of one moment that differ by step', [{ step: 1 }, { step: 2 }]],
  ['of one moment that differ by epoch', [{ epoch: 1 }, { epoch: 2 }]],
  ['of one moment that differ by context', [{ context: 'train' }, {}]],
  ['that are all the same', [{}, {}, {}]],
  ['that differ by time', [{ timestampMs: 1_767_225_600_000 }, { timestampMs: 1_767_225_600_001 }]],
])('points %s all come, each once', async (_title, points) => {
  const { comet } = await arrive((experiment) => {
    for (const point of points) experiment.logMetric('m', 0.5, point)
  }, 'experiment/metric')
  expect(comet.experiment.metrics).toHaveLength(points.length)
})

it('files come once, also those by path, and two that only differ in what is in them both come', async () => {
  const { comet } = await arrive((experiment, folder) => {
    writeFileSync(join(folder, 'weights.bin'), 'abc')
    experiment.logAsset(join(folder, 'weights.bin'))
    experiment.logAsset(Buffer.from('one'), { fileName: 'data' })
    experiment.logAsset(Buffer.from('two'), { fileName: 'data' })
  }, 'upload-asset')
  const contents = comet.experiment.assets.map(({ bytes }) => bytes.toString())
  expect(contents.toSorted()).toEqual(['abc', 'one', 'two'])
})

it('a point comes though the list of its metric has megabytes', async () => {
  const { comet, begin, until } = cometRig()
  const experiment = begin()
  await until(experiment.opened)
  for (let step = 0; step < 20_000; step += 1) {
    const point = { step, timestamp: 1_767_225_600_000, epoch: undefined, context: undefined }
    comet.experiment.metrics.push({ metricName: 'm', metricValue: step, ...point })
  }
  comet.fail('commit and reset', { path: 'experiment/metric', times: 1 })
  experiment.logMetric('m', 0.5)
  await until(experiment.end())
  expect(comet.experiment.metrics).toHaveLength(20_001)
  expect(
    (
      await comet.read('experiment/metrics/get-metric', {
        experimentKey: experiment.key ?? '',
        metricName: 'm',
      })
    ).length,
  ).toBeGreaterThan(1_000_000)
})
