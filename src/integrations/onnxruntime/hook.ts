import type { LibraryHook } from '../register/library-hook.ts'
import { carbonOnnx, type OnnxRuntime } from './carbon-onnx.ts'

/** Inferences of ONNX Runtime, those of transformers.js among them. */
export const onnxruntimeHook: LibraryHook = {
  name: 'onnxruntime',
  packages: ['onnxruntime-common', 'onnxruntime-node'],
  versions: '>=1.17 <2',
  install(exports) {
    carbonOnnx(exports as unknown as OnnxRuntime)
  },
}
