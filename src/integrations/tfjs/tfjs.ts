export { carbonCallback, type CarbonCallback } from './carbon-callback.ts'
export { carbonTfjs, type TensorFlow } from './carbon-tfjs.ts'
export type { TfjsOptions } from './tfjs-options.ts'
