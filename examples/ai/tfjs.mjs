// Trains a small network of TensorFlow.js to tell points in a circle from those around it, and tells the energy of each epoch.
//
//   npm install @tensorflow/tfjs
//   node examples/ai/tfjs.mjs
//   CODECARBON_COUNTRY_ISO_CODE=FRA EPOCHS=10 node examples/ai/tfjs.mjs
import * as tf from '@tensorflow/tfjs'
import { EmissionsTracker } from 'codecarbon'
import { carbonCallback } from 'codecarbon/tfjs'

const epochs = Number(process.env.EPOCHS ?? 4)
// Keeps TensorFlow.js from advertising its native build.
tf.env().set('IS_NODE', false)

const tracker = new EmissionsTracker({
  projectName: 'circle',
  logLevel: 'warning',
  outputMethods: [],
  measurePowerSecs: 1,
}).start()

const model = tf.sequential({
  layers: [
    tf.layers.dense({ inputShape: [2], units: 16, activation: 'relu' }),
    tf.layers.dense({ units: 1, activation: 'sigmoid' }),
  ],
})
model.compile({ optimizer: tf.train.adam(0.02), loss: 'binaryCrossentropy', metrics: ['accuracy'] })

const points = tf.randomUniform([4000, 2], -1, 1, 'float32', 7)
const isInside = tf.less(tf.sum(tf.square(points), 1, true), 0.5).cast('float32')
let epoch = 0
const callback = carbonCallback({
  tracker,
  onRecord({ name, durationSeconds, energyJoules }) {
    const label = name === 'epoch' ? `epoch ${(epoch += 1)}` : 'in all'
    console.log(
      `${label.padEnd(10)} ${durationSeconds.toFixed(2)} s  ${energyJoules?.toFixed(2) ?? 'unknown'} J`,
    )
  },
})
const { history } = await model.fit(points, isInside, { epochs, verbose: 0, callbacks: [callback] })

await tracker.stop()
console.log(`It tells ${(Number(history['acc']?.at(-1)) * 100).toFixed(0)} % of the points right.`)
