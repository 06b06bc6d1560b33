// Answers questions with a chain of LangChain whose model is made up, and tells what each of its steps has used here, and its tokens.
//
//   npm install @langchain/core
//   node examples/ai/langchain.mjs
import { AIMessage } from '@langchain/core/messages'
import { StringOutputParser } from '@langchain/core/output_parsers'
import { PromptTemplate } from '@langchain/core/prompts'
import { RunnableLambda, RunnableSequence } from '@langchain/core/runnables'
import { FakeListChatModel } from '@langchain/core/utils/testing'
import { EmissionsTracker } from 'codecarbon'
import { CarbonCallbackHandler } from 'codecarbon/langchain'

const tracker = new EmissionsTracker({
  projectName: 'questions',
  logLevel: 'warning',
  outputMethods: [],
  measurePowerSecs: 1,
}).start()
const handler = new CarbonCallbackHandler({
  tracker,
  // What such a model may use elsewhere: an estimate, which stands apart and is asked for by this alone.
  remoteFactor: 'ml-energy-llama-3.1-8b',
})

/** Says who it is and how many tokens it took, as models of providers do. */
class Model extends FakeListChatModel {
  /** @override */
  getLsParams() {
    return { ls_provider: 'acme', ls_model_name: 'small-1', ls_model_type: /** @type {const} */ ('chat') }
  }
  /** @override @param {string} text */
  _formatGeneration(text) {
    const usage_metadata = { input_tokens: 40, output_tokens: 120, total_tokens: 160 }
    return { text, message: Object.assign(new AIMessage(text), { usage_metadata }) }
  }
}

const documents = Array.from({ length: 20_000 }, (_, index) => `Document ${index} is about ${index % 997}`)
const search = new RunnableLambda({
  func: (/** @type {{ question: string }} */ { question }) => {
    const [wanted = ''] = /\d+/.exec(question) ?? []
    return { question, context: documents.filter((text) => text.split(' ').includes(wanted)).join('\n') }
  },
}).withConfig({ runName: 'search' })
const chain = RunnableSequence.from([
  search,
  PromptTemplate.fromTemplate('{context}\n\n{question}'),
  new Model({ responses: ['An answer.'], sleep: 50 }),
  new StringOutputParser(),
])

for (let number = 1; number <= 10; number += 1)
  await chain.invoke({ question: `What is about ${number}?` }, { callbacks: [handler], runName: 'answer' })

await handler.flush()
await tracker.stop()
for (const { name, count, isNested, energyJoules } of tracker.finalEmissionsData?.scopes ?? []) {
  const energy = energyJoules === undefined ? 'unmeasured' : `${(energyJoules / count).toFixed(3)} J each`
  console.log(`${`${isNested ? '  ' : ''}${name}`.padEnd(18)} ${count} times  ${energy}`)
}
for (const { provider, model, calls, inputTokens, outputTokens, remote } of handler.report())
  console.log(
    `${model} of ${provider}: ${calls} calls, ${inputTokens} tokens in, ${outputTokens} out; elsewhere perhaps ${remote?.energyJoules.toFixed(0)} J`,
  )
