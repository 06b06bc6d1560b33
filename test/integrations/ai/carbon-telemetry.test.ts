import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { carbonAi, carbonTelemetry } from '../../../src/integrations/ai/ai.ts'
import { usageOf } from '../../../src/integrations/ai/usage.ts'
import { currentScope } from '../../../src/scopes/current-scope.ts'
import { privateEvent } from '../../fixtures/private-event.ts'
import { recordedScopes } from '../../fixtures/recorded-scopes.ts'
import { recordingScopes } from '../../fixtures/recording-scopes.ts'

const about = (fields: Record<string, unknown>) =>
  privateEvent({ callId: 'a', functionId: undefined, provider: 'acme', modelId: 'small-1', ...fields })
const started = about({ operationId: 'ai.generateText', functionId: 'answer' })
const usage = { inputTokens: 10, outputTokens: 20 }

describe('an integration of the AI SDK', () => {
  it('tells the call, that of its model with its tokens, and its tools', async () => {
    const tracker = recordedScopes()
    const telemetry = carbonTelemetry({ tracker })
    telemetry.onStart(started)
    const within = async (): Promise<string | undefined> => Promise.resolve(currentScope()?.name)
    const answer = await telemetry.executeLanguageModelCall(about({ execute: within }) as never)
    telemetry.onLanguageModelCallEnd(about({ usage }))
    const toolCall = { toolName: 'weather' }
    const weather = await telemetry.executeTool(about({ toolCall, execute: within }) as never)
    telemetry.onEnd(about({ usage }))
    expect([answer, weather]).toEqual(['small-1', 'weather'])
    expect(tracker.lines()).toEqual(['answer: ok', 'small-1 < answer: ok', 'weather < answer: ok'])
    expect(telemetry.report()).toMatchObject([{ model: 'small-1', inputTokens: 10, outputTokens: 20 }])
    await telemetry.flush()
  })

  it('tells what fails and what is taken back', async () => {
    const tracker = recordedScopes()
    const telemetry = carbonTelemetry({ tracker })
    telemetry.onStart(started)
    const failing = { execute: () => Promise.reject(new Error('as it should')) }
    await expect(telemetry.executeLanguageModelCall(about(failing) as never)).rejects.toThrow('as it should')
    telemetry.onError(about({ error: new Error('as it should') }))
    telemetry.onStart(started)
    await telemetry.executeLanguageModelCall(about({ execute: () => Promise.resolve() }) as never)
    telemetry.onAbort(about({}))
    expect(tracker.lines()).toEqual([
      'answer: error',
      'small-1 < answer: error',
      'answer: aborted',
      'small-1 < answer: aborted',
    ])
  })

  it('tells embeddings', () => {
    const tracker = recordedScopes()
    const telemetry = carbonTelemetry({ tracker })
    telemetry.onStart(about({ operationId: 'ai.embed' }))
    telemetry.onEnd(about({ usage: { tokens: 7 } }))
    expect(tracker.lines()).toEqual(['small-1: ok'])
    expect(telemetry.report()).toMatchObject([{ inputTokens: 7 }])
  })

  it('does nothing where the channel is listened to', async () => {
    const tracker = recordedScopes()
    const carbon = carbonAi({ tracker: recordedScopes() })
    onTestFinished(() => {
      carbon.stop()
    })
    const telemetry = carbonTelemetry({ tracker })
    telemetry.onStart(started)
    const execute = async () => Promise.resolve(7)
    expect(await telemetry.executeLanguageModelCall(about({ execute }) as never)).toBe(7)
    expect(await telemetry.executeTool(about({ execute }) as never)).toBe(7)
    telemetry.onLanguageModelCallEnd(about({ usage }))
    telemetry.onEnd(about({ usage }))
    expect([tracker.lines(), telemetry.report()]).toEqual([[], []])
  })
})

describe('an operation that is told no end', () => {
  const minute = 60_000
  const begin = (callId: string) => about({ operationId: 'ai.streamText', callId, functionId: callId })
  const outcomesOf = ({ scopes }: ReturnType<typeof recordingScopes>) =>
    scopes.map(({ name, outcomes }) => `${name}: ${outcomes[0] ?? 'open'}`)

  it('is given up after ten minutes of silence when the next one begins, with all in it', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const tracker = recordingScopes()
    const telemetry = carbonTelemetry({ tracker })
    const callModel = (callId: string) =>
      telemetry.executeLanguageModelCall(about({ callId, execute: () => Promise.resolve() }) as never)
    telemetry.onStart(begin('silent'))
    telemetry.onStart(begin('alive'))
    await callModel('silent')
    await callModel('of no operation')
    vi.advanceTimersByTime(9 * minute)
    await callModel('alive')
    telemetry.onLanguageModelCallEnd(about({ callId: 'alive', usage }))
    vi.advanceTimersByTime(2 * minute)
    telemetry.onStart(begin('next'))
    expect(outcomesOf(tracker)).toEqual([
      'silent: aborted',
      'alive: open',
      'small-1: aborted',
      'small-1: aborted',
      'small-1: ok',
      'next: open',
    ])
  })

  it('is one of ten thousand at most', () => {
    const tracker = recordingScopes()
    const telemetry = carbonTelemetry({ tracker })
    for (let call = 0; call < 10_002; call += 1) telemetry.onStart(begin(`call ${call}`))
    const ended = outcomesOf(tracker).filter((line) => !line.endsWith(': open'))
    expect(ended).toEqual(['call 0: aborted', 'call 1: aborted'])
  })

  it('is not begun where its events have no id to know its end by', async () => {
    const tracker = recordingScopes()
    const telemetry = carbonTelemetry({ tracker })
    telemetry.onStart(begin(undefined as unknown as string))
    const execute = () => Promise.resolve(7)
    const answer = await telemetry.executeLanguageModelCall(about({ callId: undefined, execute }) as never)
    expect([answer, outcomesOf(tracker)]).toEqual([7, []])
  })
})

it.each([
  [
    { inputTokens: { total: 1 }, outputTokens: { total: 2 } },
    { input: 1, output: 2 },
  ],
  [
    { inputTokens: 0, outputTokens: undefined },
    { input: 0, output: undefined },
  ],
  [{ tokens: 3 }, { input: 3, output: undefined }],
  [{ inputTokens: 'many' }, { input: undefined, output: undefined }],
  [undefined, {}],
])('of %j the tokens are %j', (usage, tokens) => {
  expect(usageOf(usage)).toEqual(tokens)
})
