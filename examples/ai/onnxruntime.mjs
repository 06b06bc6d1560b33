// Multiplies matrices with ONNX Runtime, whose model is made here, and tells the energy of each inference and of all of one size.
//
//   npm install onnxruntime-node
//   node examples/ai/onnxruntime.mjs
import * as ort from 'onnxruntime-node'
import { EmissionsTracker, withCarbon } from 'codecarbon'
import { carbonOnnx } from 'codecarbon/onnxruntime'

const tracker = new EmissionsTracker({
  projectName: 'onnx',
  logLevel: 'warning',
  outputMethods: [],
  measurePowerSecs: 1,
}).start()

// A model from a file would have its name: name: (file) => file ?? 'inference'.
carbonOnnx(ort, { tracker, name: 'multiply' })
const session = await ort.InferenceSession.create(multiplyingModel())

for (const size of [256, 512, 1024]) {
  const matrix = new ort.Tensor('float32', Float32Array.from({ length: size ** 2 }, Math.random), [
    size,
    size,
  ])
  // Inferences are parts of what they are called in.
  const multiply = withCarbon(`${size} × ${size}`, () => session.run({ a: matrix, b: matrix }), { tracker })
  for (let round = 0; round < 10; round += 1) await multiply()
}

await tracker.stop()
const scopes = tracker.finalEmissionsData?.scopes ?? []
for (const { name, count, isNested, energyJoules } of scopes) {
  const energy = energyJoules === undefined ? 'unmeasured' : `${(energyJoules / count).toFixed(3)} J each`
  console.log(
    `${name.padEnd(12)} ${count} ${isNested ? 'inferences, the ones in the others' : 'times'}  ${energy}`,
  )
}

/** The bytes of a model with one node: product = a × b. https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3 */
function multiplyingModel() {
  const node = message(1, text(1, 'a'), text(1, 'b'), text(2, 'product'), text(4, 'MatMul'))
  const graph = message(
    7,
    node,
    text(2, 'graph'),
    message(11, matrix('a')),
    message(11, matrix('b')),
    message(12, matrix('product')),
  )
  return Uint8Array.from([number(1, 8), message(8, number(2, 13)), graph].flat())

  /** A table of 32-bit numbers, of any size. @param {string} name */
  function matrix(name) {
    const shape = message(2, message(1, text(2, `${name} rows`)), message(1, text(2, `${name} columns`)))
    return [...text(1, name), ...message(2, message(1, number(1, 1), shape))]
  }
  /** @param {number} field @param {string} value */
  function text(field, value) {
    return [(field << 3) | 2, value.length, ...Buffer.from(value)]
  }
  /** @param {number} field @param {number} value */
  function number(field, value) {
    return [field << 3, value]
  }
  /** @param {number} field @param {number[][]} parts */
  function message(field, ...parts) {
    const bytes = parts.flat()
    const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7]
    return [(field << 3) | 2, ...length, ...bytes]
  }
}
