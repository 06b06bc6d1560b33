// Answers questions with the AI SDK and its own mock model, which calls a tool, and tells what calls and tools have used here, and the tokens. Needs Node.js 22.
//
//   npm install ai zod
//   node examples/ai/ai-sdk.mjs
import { generateText, isStepCount, tool } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { z } from 'zod'
import { EmissionsTracker } from 'codecarbon'
import { carbonAi } from 'codecarbon/ai'

const tracker = new EmissionsTracker({
  projectName: 'answers',
  logLevel: 'warning',
  outputMethods: [],
  measurePowerSecs: 1,
}).start()
const carbon = carbonAi({
  tracker,
  // What such a model may use elsewhere: an estimate, which stands apart and is asked for by this alone.
  remoteFactor: 'ml-energy-llama-3.1-8b',
})

const primes = tool({
  description: 'Counts the primes below a number.',
  inputSchema: z.object({ limit: z.number() }),
  execute: async (/** @type {{ limit: number }} */ { limit }) => countPrimes(limit),
})
const usage = { inputTokens: { total: 40 }, outputTokens: { total: 120 } }
const model = new MockLanguageModelV4({
  provider: 'acme',
  modelId: 'small-1',
  // First it asks the tool, then it tells what that said.
  doGenerate: async (/** @type {{ prompt: { role: string, content: any }[] }} */ { prompt }) => {
    const [result] = prompt.find(({ role }) => role === 'tool')?.content ?? []
    const [{ text = '' }] = prompt.find(({ role }) => role === 'user')?.content ?? [{}]
    const call = { type: 'tool-call', toolCallId: '1', toolName: 'primes', input: `{"limit":${text}}` }
    return result === undefined
      ? { content: [call], finishReason: { unified: 'tool-calls' }, usage, warnings: [] }
      : {
          content: [{ type: 'text', text: `There are ${result.output.value}.` }],
          finishReason: { unified: 'stop' },
          usage,
          warnings: [],
        }
  },
})

for (const prompt of ['1000000', '5000000', '20000000']) {
  const { text } = await generateText({
    model,
    prompt,
    tools: { primes },
    stopWhen: isStepCount(3),
    telemetry: { functionId: 'answer' },
  })
  console.log(`Primes below ${prompt}? ${text}`)
}

await carbon.flush()
await tracker.stop()
for (const { name, count, isNested, energyJoules } of tracker.finalEmissionsData?.scopes ?? []) {
  const energy = energyJoules === undefined ? 'unmeasured' : `${(energyJoules / count).toFixed(3)} J each`
  console.log(`${`${isNested ? '  ' : ''}${name}`.padEnd(12)} ${count} times  ${energy}`)
}
for (const { provider, model: name, calls, inputTokens, outputTokens, remote } of carbon.report())
  console.log(
    `${name} of ${provider}: ${calls} calls, ${inputTokens} tokens in, ${outputTokens} out; elsewhere perhaps ${remote?.energyJoules.toFixed(0)} J`,
  )

/** @param {number} limit */
function countPrimes(limit) {
  const isComposite = new Uint8Array(limit)
  let primes = 0
  for (let n = 2; n < limit; n += 1) {
    if (isComposite[n] === 1) continue
    primes += 1
    for (let multiple = n * n; multiple < limit; multiple += n) isComposite[multiple] = 1
  }
  return primes
}
