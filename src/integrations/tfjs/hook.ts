import type { LibraryHook } from '../register/library-hook.ts'
import { carbonTfjs, type TensorFlow } from './carbon-tfjs.ts'

/** Trainings of TensorFlow.js. */
export const tfjsHook: LibraryHook = {
  name: 'tfjs',
  packages: [
    '@tensorflow/tfjs',
    '@tensorflow/tfjs-layers',
    '@tensorflow/tfjs-node',
    '@tensorflow/tfjs-node-gpu',
  ],
  versions: '>=4 <5',
  install(exports) {
    carbonTfjs(exports as unknown as TensorFlow)
  },
}
