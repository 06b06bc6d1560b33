export { carbonOnnx, type OnnxOptions, type OnnxRuntime } from './carbon-onnx.ts'
export { withCarbon, type PipelineOptions } from './with-carbon-pipeline.ts'
