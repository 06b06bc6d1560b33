// `npm start`: makes the clone ready, then tracks the training of a small network that reads handwritten digits.
import { makeReady } from './ready.js'

makeReady()
await import('../examples/train-digits.mjs')
