// Tells whether sentences are kind, with a model of transformers.js, and what each took. The first run downloads the model, 65 MB, from huggingface.co.
//
//   npm install @huggingface/transformers
//   node examples/ai/transformers.mjs
//   MODELS=/srv/models MODEL=words node examples/ai/transformers.mjs   a model in a folder, with no download
import { env, pipeline } from '@huggingface/transformers'
import { EmissionsTracker } from 'codecarbon'
import { withCarbon } from 'codecarbon/onnxruntime'

const { MODELS, MODEL = 'Xenova/distilbert-base-uncased-finetuned-sst-2-english' } = process.env
if (MODELS !== undefined) Object.assign(env, { localModelPath: MODELS, allowRemoteModels: false })

const loaded = await pipeline('text-classification', MODEL, {
  dtype: MODELS === undefined ? 'q8' : 'fp32',
}).catch((/** @type {Error & { cause?: Error }} */ error) => {
  console.error(
    `The model ${MODEL} could not be loaded: ${error.message}${error.cause === undefined ? '' : ` (${error.cause.message})`}\n` +
      'It comes from huggingface.co at the first run. Without a connection, put it into a folder, as MODELS/MODEL with config.json, tokenizer.json, tokenizer_config.json and onnx/model.onnx.',
  )
  process.exit(1)
})

const tracker = new EmissionsTracker({
  projectName: 'sentences',
  logLevel: 'warning',
  outputMethods: [],
  measurePowerSecs: 1,
}).start()
const classify = withCarbon(loaded, 'classify', { tracker })

const sentences = ['What a lovely day', 'I have never been so bored', 'It works', 'The train is late again']
for (const sentence of sentences) {
  const [answer] = await classify(sentence)
  console.log(`${sentence.padEnd(28)} ${answer.label} ${(answer.score * 100).toFixed(0)} %`)
}
await classify.dispose()

await tracker.stop()
for (const { name, count, energyJoules } of tracker.finalEmissionsData?.scopes ?? []) {
  const energy = energyJoules === undefined ? 'unmeasured' : `${(energyJoules / count).toFixed(3)} J each`
  console.log(`${name}: ${count} calls  ${energy}`)
}
