import { setContextVariable, registerConfigureHook } from '@langchain/core/context'
import { AIMessage } from '@langchain/core/messages'
import { StringOutputParser } from '@langchain/core/output_parsers'
import { PromptTemplate } from '@langchain/core/prompts'
import { RunnableLambda, RunnableParallel } from '@langchain/core/runnables'
import { DynamicTool } from '@langchain/core/tools'
import { FakeListChatModel, FakeRetriever, FakeStreamingLLM } from '@langchain/core/utils/testing'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { CarbonCallbackHandler, type ModelCallRecord } from '../../../src/integrations/langchain/langchain.ts'
import { usageOf } from '../../../src/integrations/langchain/usage.ts'
import { recordedScopes } from '../../fixtures/recorded-scopes.ts'

/** A chat model that tells its name and its tokens, as those of providers do. */
class TellingChatModel extends FakeListChatModel {
  override getLsParams() {
    return { ls_provider: 'acme', ls_model_name: 'small-1', ls_model_type: 'chat' as const }
  }
  override _formatGeneration(text: string) {
    const usage_metadata = { input_tokens: 12, output_tokens: 30, total_tokens: 42 }
    return { text, message: Object.assign(new AIMessage(text), { usage_metadata }) }
  }
}

const chainOf = (model: FakeListChatModel) =>
  PromptTemplate.fromTemplate('a question: {q}').pipe(model).pipe(new StringOutputParser())

describe('a chain', () => {
  it('is a scope that holds its steps, and the call of its model comes with its tokens', async () => {
    const tracker = recordedScopes()
    const told: ModelCallRecord[] = []
    const handler = new CarbonCallbackHandler({ tracker, onModelCall: (call) => void told.push(call) })
    const chain = chainOf(new TellingChatModel({ responses: ['an answer'] }))
    const answer = await chain.invoke({ q: 'a secret' }, { callbacks: [handler], runName: 'ask' })
    expect(answer).toBe('an answer')
    expect(tracker.lines()).toEqual([
      'ask: ok',
      'PromptTemplate < ask: ok',
      'small-1 < ask: ok',
      'StrOutputParser < ask: ok',
    ])
    expect((await tracker.records()).map(({ kind, isNested }) => [kind, isNested])).toEqual([
      ['task', false],
      ['task', true],
      ['model call', true],
      ['task', true],
    ])
    expect(handler.report()).toMatchObject([
      { provider: 'acme', model: 'small-1', calls: 1, inputTokens: 12, outputTokens: 30 },
    ])
    await handler.flush()
    expect(told).toMatchObject([{ outcome: 'ok', tokens: { input: 12, output: 30 } }])
    expect(inspect([told, await tracker.records(), handler], { depth: 9, showHidden: true })).not.toMatch(
      /secret|an answer/,
    )
  })

  it('that is streamed ends with its stream', async () => {
    const tracker = recordedScopes()
    const handler = new CarbonCallbackHandler({ tracker })
    const stream = await chainOf(new FakeListChatModel({ responses: ['ab'] })).stream(
      { q: 'x' },
      { callbacks: [handler] },
    )
    const before = tracker.lines()
    let text = ''
    for await (const chunk of stream) text += chunk
    expect(text).toBe('ab')
    expect(before[0]).toBe('RunnableSequence: open')
    expect(tracker.lines().filter((line) => !line.endsWith(': ok'))).toEqual([])
    expect(handler.report()).toMatchObject([
      { provider: 'FakeListChatModel', model: 'FakeListChatModel', callsWithoutTokens: 1 },
    ])
  })

  it('that fails ends so, with all in it', async () => {
    const tracker = recordedScopes()
    const handler = new CarbonCallbackHandler({ tracker })
    const failing = RunnableLambda.from<string, string>(() => {
      throw new Error('as it should')
    })
    const chain = failing.pipe(new StringOutputParser())
    await expect(chain.invoke('x', { callbacks: [handler] })).rejects.toThrow('as it should')
    const model = new FakeListChatModel({ responses: ['x'] })
    await expect(
      model.invoke('x', { callbacks: [handler], thrownErrorString: 'as it should' }),
    ).rejects.toThrow('as it should')
    expect(tracker.lines()).toEqual([
      'RunnableSequence: error',
      'RunnableLambda < RunnableSequence: error',
      'FakeListChatModel: error',
    ])
    expect(handler.report()).toMatchObject([{ failedCalls: 1 }])
  })

  it('of several at once keeps them apart', async () => {
    const tracker = recordedScopes()
    const handler = new CarbonCallbackHandler({ tracker })
    const both = RunnableParallel.from({
      a: chainOf(new TellingChatModel({ responses: ['a'], sleep: 5 })),
      b: chainOf(new TellingChatModel({ responses: ['b'] })),
    })
    await Promise.all([
      both.invoke({ q: '1' }, { callbacks: [handler], runName: 'first' }),
      both.invoke({ q: '2' }, { callbacks: [handler], runName: 'second' }),
    ])
    const lines = tracker.lines()
    expect(lines.filter((line) => line === 'RunnableSequence < first: ok')).toHaveLength(2)
    expect(lines.filter((line) => line === 'RunnableSequence < second: ok')).toHaveLength(2)
    expect(handler.report()).toMatchObject([{ calls: 4, outputTokens: 120 }])
  })

  it('is part of the scope in which it is called', async () => {
    const tracker = recordedScopes()
    const handler = new CarbonCallbackHandler({ tracker })
    const request = tracker.beginScope({ name: 'GET /ask', kind: 'request' })
    await request.run(() =>
      chainOf(new TellingChatModel({ responses: ['a'] })).invoke({ q: 'x' }, { callbacks: [handler] }),
    )
    expect(tracker.lines()[1]).toBe('RunnableSequence < GET /ask: ok')
  })

  it('of every program is measured where the handler is a context variable', async () => {
    const tracker = recordedScopes()
    registerConfigureHook({ contextVar: 'codecarbon' })
    setContextVariable('codecarbon', new CarbonCallbackHandler({ tracker }))
    await chainOf(new TellingChatModel({ responses: ['a'] })).invoke({ q: 'x' })
    setContextVariable('codecarbon', undefined)
    expect(tracker.lines()).toContain('small-1 < RunnableSequence: ok')
  })
})

describe('other runs', () => {
  it('are tools, retrievers and models without chat', async () => {
    const tracker = recordedScopes()
    const callbacks = [new CarbonCallbackHandler({ tracker })]
    const add = new DynamicTool({ name: 'add', description: '', func: async (a) => `${Number(a) + 1}` })
    expect(await add.invoke('1', { callbacks })).toBe('2')
    await new FakeRetriever().invoke('x', { callbacks })
    await new FakeStreamingLLM({ responses: ['a'] }).invoke('x', { callbacks })
    expect(tracker.lines()).toEqual(['add: ok', 'FakeRetriever: ok', 'FakeStreamingLLM: ok'])
  })

  it('in which something is left open end with all in them', () => {
    const tracker = recordedScopes()
    const handler = new CarbonCallbackHandler({ tracker })
    // A run that was begun and is told no end, as of a stream that is not read on.
    handler.handleChainStart({ id: ['a', 'Left'] }, {}, 'left')
    handler.handleChainStart({ id: ['a', 'Step'] }, {}, 'step', 'left')
    expect(tracker.lines()).toEqual(['Left: open', 'Step < Left: open'])
    handler.handleChainEnd({}, 'left')
    handler.handleChainEnd({}, 'step')
    handler.handleChainEnd({}, 'never begun')
    expect(tracker.lines()).toEqual(['Left: ok', 'Step < Left: aborted'])
  })
})

describe('tokens', () => {
  const message = (input_tokens: unknown, output_tokens: unknown) => ({
    message: { usage_metadata: { input_tokens, output_tokens } },
  })
  it.each([
    [{ generations: [[message(1, 2)]] }, { input: 1, output: 2 }],
    [{ generations: [[message(1, 2), message(1, 2)], [message(3, undefined)]] }, { input: 4, output: 2 }],
    [
      { generations: [[{}]], llmOutput: { tokenUsage: { promptTokens: 5, completionTokens: 6 } } },
      { input: 5, output: 6 },
    ],
    [
      { generations: [], llmOutput: { estimatedTokenUsage: { completionTokens: 6 } } },
      { input: undefined, output: 6 },
    ],
    [{ generations: [[message('1', -2)]] }, { input: undefined, output: undefined }],
    [undefined, { input: undefined, output: undefined }],
  ])('of %j are %j', (result, tokens) => {
    expect(usageOf(result)).toEqual(tokens)
  })
})
