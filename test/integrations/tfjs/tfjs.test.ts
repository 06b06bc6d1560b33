import * as tf from '@tensorflow/tfjs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { tfjsHook } from '../../../src/integrations/tfjs/hook.ts'
import { carbonCallback, carbonTfjs } from '../../../src/integrations/tfjs/tfjs.ts'
import { currentScope } from '../../../src/scopes/current-scope.ts'
import type { ScopeRecord } from '../../../src/scopes/work-scope.ts'
import { anotherCopy } from '../../fixtures/another-copy.ts'
import { recordedScopes } from '../../fixtures/recorded-scopes.ts'

beforeAll(() => {
  // Keeps TensorFlow.js from advertising its native build.
  tf.env().set('IS_NODE', false)
})

/** A model of one weight, and four examples for it. */
function training(): { model: tf.Sequential; x: tf.Tensor; y: tf.Tensor } {
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [1], units: 1 })] })
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  return { model, x: tf.tensor2d([1, 2, 3, 4], [4, 1]), y: tf.tensor2d([2, 4, 6, 8], [4, 1]) }
}
const settings = { epochs: 2, batchSize: 2, verbose: 0 } as const
const throwing = {
  onBatchEnd: (): void => {
    throw new Error('as it should')
  },
}

describe('a callback', () => {
  it('makes the training a scope, and each epoch a part of it', async () => {
    const tracker = recordedScopes()
    const { model, x, y } = training()
    tracker.machine.use(1)
    const spend = { onEpochBegin: () => tracker.machine.use(10) }
    await model.fit(x, y, { ...settings, callbacks: [carbonCallback({ tracker }), spend] })
    expect(tracker.lines()).toEqual(['fit: ok', 'epoch < fit: ok', 'epoch < fit: ok'])
    const [fit, first, second] = await tracker.records()
    expect(fit).toMatchObject({ kind: 'training', isNested: false, functionalUnits: undefined })
    expect(first).toMatchObject({ kind: 'training', isNested: true, labels: {} })
    const [ofFit = NaN, ...ofEpochs] = [fit, first, second].map((record) => record?.energyJoules ?? NaN)
    const sum = ofEpochs.reduce((total, joules) => total + joules, 0)
    expect(Math.min(...ofEpochs)).toBeGreaterThan(0)
    expect(ofFit).toBeGreaterThanOrEqual(sum * (1 - 1e-9))
    expect(ofFit + tracker.rest()).toBeCloseTo(21, 6)
  })

  it('has a name, counts batches, and leaves epochs out where it is told to', async () => {
    const tracker = recordedScopes()
    const { model, x, y } = training()
    const callbacks = carbonCallback({ tracker, name: 'digits', epochs: false, countBatches: true })
    await model.fit(x, y, { ...settings, callbacks })
    expect(tracker.lines()).toEqual(['digits: ok'])
    expect(await tracker.records()).toMatchObject([{ functionalUnits: 4 }])
  })

  it('hands on what each epoch and the whole have used', async () => {
    const tracker = recordedScopes()
    const { model, x, y } = training()
    const told: string[] = []
    const onRecord = ({ name, outcome }: ScopeRecord): void => void told.push(`${name} ${outcome}`)
    await model.fit(x, y, { ...settings, callbacks: carbonCallback({ tracker, onRecord }) })
    await vi.waitFor(() => {
      expect(told).toEqual(['epoch ok', 'epoch ok', 'fit ok'])
    })
    onTestFinished(carbonTfjs(tf, { tracker, onRecord }))
    await model.fit(x, y, { ...settings, callbacks: [throwing] }).catch(() => undefined)
    await vi.waitFor(() => {
      expect(told.slice(3)).toEqual(['epoch error', 'fit error'])
    })
  })

  it('stands behind callbacks of TensorFlow.js itself, and a training that they stop ends as ok', async () => {
    const tracker = recordedScopes()
    const { model, x, y } = training()
    const stop = tf.callbacks.earlyStopping({ monitor: 'loss', minDelta: 1e9, patience: 0 })
    await model.fit(x, y, { ...settings, epochs: 9, callbacks: [stop, carbonCallback({ tracker })] })
    expect(tracker.lines()).toEqual(['fit: ok', 'epoch < fit: ok', 'epoch < fit: ok'])
  })

  it('takes part in training from a dataset', async () => {
    const tracker = recordedScopes()
    const { model } = training()
    const data = tf.data.array([1, 2, 3, 4]).map((n) => ({ xs: [n], ys: [n * 2] }))
    const batches = data.batch(2) as Parameters<typeof model.fitDataset>[0]
    await model.fitDataset(batches, {
      epochs: 2,
      verbose: 0,
      callbacks: carbonCallback({ tracker, countBatches: true }),
    })
    expect(tracker.lines()).toEqual(['fit: ok', 'epoch < fit: ok', 'epoch < fit: ok'])
    expect((await tracker.records()).map(({ functionalUnits }) => functionalUnits)).toEqual([4, 2, 2])
  })

  it('serves several trainings at once', async () => {
    const tracker = recordedScopes()
    const callbacks = [carbonCallback({ tracker, epochs: false })]
    await Promise.all(
      [training(), training()].map(({ model, x, y }) => model.fit(x, y, { ...settings, callbacks })),
    )
    expect(tracker.lines()).toEqual(['fit: ok', 'fit: ok'])
  })

  it('ends a training that threw when TensorFlow.js lets go of it', async () => {
    const tracker = recordedScopes()
    const { model, x, y } = training()
    const callback = carbonCallback({ tracker })
    await expect(model.fit(x, y, { ...settings, callbacks: [callback, throwing] })).rejects.toThrow(
      'as it should',
    )
    expect(tracker.lines()).toEqual(['fit: open', 'epoch < fit: open'])
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    await vi.waitFor(() => {
      collect()
      expect(tracker.lines()).toEqual(['fit: error', 'epoch < fit: error'])
    })
    expect(callback).toBeDefined()
  })

  it('is part of the scope that runs', async () => {
    const tracker = recordedScopes()
    const { model, x, y } = training()
    const job = tracker.beginScope({ name: 'job', kind: 'job' })
    await job.run(() =>
      model.fit(x, y, { ...settings, callbacks: carbonCallback({ tracker, epochs: false }) }),
    )
    expect(tracker.lines()).toEqual(['job: open', 'fit < job: ok'])
  })

  it.each<[unknown, string]>([
    [7, 'codecarbon/tfjs: carbonCallback: expected options, got 7'],
    [{ name: '' }, 'option name: expected a name that is not empty, got ""'],
    [{ epochs: 'no' }, 'option epochs: expected true or false, got "no"'],
    [{ onRecord: 1 }, 'option onRecord: expected a function, got 1'],
    [
      { tracker: {} },
      'codecarbon/tfjs: carbonCallback: option tracker: expected an EmissionsTracker, got object',
    ],
  ])('refuses %j', (options, message) => {
    expect(() => carbonCallback(options as never)).toThrow(message)
  })

  it('lets the training go on where nothing can be measured, and says so once', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const { model, x, y } = training()
    const tracker = {
      beginScope() {
        throw new Error('no disk')
      },
    }
    const callbacks = [carbonCallback({ tracker })]
    for (let i = 0; i < 5; i += 1) await model.fit(x, y, { ...settings, callbacks })
    expect(warn.mock.calls).toEqual([
      ['TensorFlow.js: no disk', 'CodeCarbonWarning'],
      ['TensorFlow.js is no longer measured: that failed 3 times in a row', 'CodeCarbonWarning'],
    ])
  })
})

describe('a measured TensorFlow.js', () => {
  const { fit, fitDataset } = tf.LayersModel.prototype

  it('tells every training, with the code inside of its scope', async () => {
    const tracker = recordedScopes()
    onTestFinished(carbonTfjs(tf, { tracker, name: 'train' }))
    const { model, x, y } = training()
    const seen: (string | undefined)[] = []
    const own = { ...settings, callbacks: { onEpochEnd: () => void seen.push(currentScope()?.name) } }
    const given = own.callbacks
    const history = await model.fit(x, y, own)
    expect(history.history['loss']).toHaveLength(2)
    await model.fit(x, y)
    expect(own.callbacks).toBe(given)
    expect(seen).toEqual(['train', 'train'])
    expect(tracker.lines()).toEqual([
      'train: ok',
      'epoch < train: ok',
      'epoch < train: ok',
      'train: ok',
      'epoch < train: ok',
    ])
  })

  it('ends what throws at once', async () => {
    const tracker = recordedScopes()
    onTestFinished(carbonTfjs(tf, { tracker }))
    const { model, x, y } = training()
    await expect(model.fit(x, y, { ...settings, callbacks: [throwing] })).rejects.toThrow('as it should')
    await expect(model.fitDataset(undefined as never, undefined as never)).rejects.toThrow('batchesPerEpoch')
    expect(tracker.lines()).toEqual(['fit: error', 'epoch < fit: error', 'fit: error'])
  })

  it('leaves name and epochs to a callback of the training itself, and counts it once', async () => {
    const tracker = recordedScopes()
    onTestFinished(carbonTfjs(tf, { tracker }))
    const { model, x, y } = training()
    const own = carbonCallback({ name: 'own', epochs: false, countBatches: true })
    await model.fit(x, y, { ...settings, callbacks: [own] })
    await expect(model.fit(x, y, { ...settings, callbacks: [own, throwing] })).rejects.toThrow('as it')
    expect(tracker.lines()).toEqual(['own: ok', 'own: error'])
    expect(await tracker.records()).toMatchObject([{ functionalUnits: 4 }, {}])
  })

  it('counts a training once where another copy of this package made its callback, or measures as well', async () => {
    const tracker = recordedScopes()
    const other = await anotherCopy(() => import('../../../src/integrations/tfjs/tfjs.ts'))
    onTestFinished(carbonTfjs(tf, { tracker }))
    const { model, x, y } = training()
    const own = other.carbonCallback({ name: 'own', epochs: false })
    await model.fit(x, y, { ...settings, callbacks: [own] })
    expect(tracker.lines()).toEqual(['own: ok'])
    onTestFinished(other.carbonTfjs(tf, { tracker, name: 'of the other', epochs: false }))
    await model.fit(x, y, settings)
    expect(tracker.lines()).toEqual(['own: ok', 'of the other: ok'])
  })

  it('is measured by the options that came last, and left as it was', async () => {
    const [first, second] = [recordedScopes(), recordedScopes()]
    const undoFirst = carbonTfjs(tf, { tracker: first })
    const undoSecond = carbonTfjs(tf, { tracker: second, epochs: false })
    const { model, x, y } = training()
    await model.fit(x, y, settings)
    undoFirst()
    await model.fit(x, y, settings)
    expect([first.lines(), second.lines()]).toEqual([[], ['fit: ok', 'fit: ok']])
    undoSecond()
    expect(tf.LayersModel.prototype.fit).toBe(fit)
    expect(tf.LayersModel.prototype.fitDataset).toBe(fitDataset)
  })

  it('is turned on by its hook', async () => {
    const before = tf.LayersModel.prototype.fit
    tfjsHook.install(tf, { name: '@tensorflow/tfjs', version: '4.22.0' })
    expect(tf.LayersModel.prototype.fit).not.toBe(before)
    expect(tf.LayersModel.prototype.fit).toHaveLength(before.length)
    carbonTfjs(tf)()
    expect(tf.LayersModel.prototype.fit).toBe(before)
  })

  it.each([undefined, {}, { LayersModel: { prototype: {} } }])(
    'refuses what is no TensorFlow.js (%j)',
    (other) => {
      expect(() => carbonTfjs(other as never)).toThrow('expected what @tensorflow/tfjs exports')
    },
  )
})
