import { AsyncResource } from 'node:async_hooks'
import { tracingChannel } from 'node:diagnostics_channel'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { carbonAi, carbonTelemetry, type ModelCallOptions } from '../../../src/integrations/ai/ai.ts'
import { aiHook } from '../../../src/integrations/ai/hook.ts'
import { setProcessScopes } from '../../../src/scopes/process-scopes.ts'
import { currentScope } from '../../../src/scopes/current-scope.ts'
import { anotherCopy } from '../../fixtures/another-copy.ts'
import { privateEvent } from '../../fixtures/private-event.ts'
import { recordedScopes } from '../../fixtures/recorded-scopes.ts'

const channel = tracingChannel<unknown, object>('ai:telemetry')

/** Begins to measure, until the test has finished. */
function measured(options: ModelCallOptions = {}) {
  const tracker = recordedScopes()
  const carbon = carbonAi({ tracker, ...options })
  onTestFinished(() => {
    carbon.stop()
  })
  return { tracker, carbon }
}

const names = { provider: 'acme', modelId: 'small-1', functionId: undefined }
const usageOfProvider = {
  inputTokens: { total: 10, noCache: 10 },
  outputTokens: { total: 20, reasoning: 5 },
}
const usageOfStep = { inputTokens: 10, outputTokens: 20, totalTokens: 30 }

/** What the AI SDK does around a promise; events and results let nobody look at what is asked and answered. */
const traced = <T>(type: string, event: Record<string, unknown>, fn: () => Promise<T>): Promise<T> =>
  channel.tracePromise(fn, { type, event: privateEvent({ ...names, ...event }) })

const callModel = (callId: string): Promise<object> =>
  traced('languageModelCall', { callId }, () => Promise.resolve(privateEvent({ usage: usageOfProvider })))

describe('generateText', () => {
  it('is a scope that holds the calls of its model, with their tokens, and its tools', async () => {
    const { tracker, carbon } = measured()
    const seen: (string | undefined)[] = []
    await traced('generateText', { callId: 'a', functionId: 'answer' }, async () => {
      await traced('step', { callId: 'a' }, async () => {
        await callModel('a')
        await traced('executeTool', { callId: 'a', toolCall: { toolName: 'weather' } }, async () => {
          seen.push(currentScope()?.name)
          return Promise.resolve(1)
        })
        return privateEvent({ usage: usageOfStep })
      })
      await traced('step', { callId: 'a' }, () => callModel('a'))
      return privateEvent({ usage: usageOfStep })
    })
    expect(tracker.lines()).toEqual([
      'answer: ok',
      'small-1 < answer: ok',
      'weather < answer: ok',
      'small-1 < answer: ok',
    ])
    expect(seen).toEqual(['weather'])
    expect(carbon.report()).toMatchObject([
      { provider: 'acme', model: 'small-1', calls: 2, inputTokens: 20, outputTokens: 40 },
    ])
    expect((await tracker.records()).map(({ kind }) => kind)).toEqual([
      'task',
      'model call',
      'task',
      'model call',
    ])
  })

  it('is named after itself where the program gave it no name', async () => {
    const { tracker } = measured()
    await traced('generateText', { callId: 'a' }, () => callModel('a'))
    expect(tracker.lines()).toEqual(['generateText: ok', 'small-1 < generateText: ok'])
  })

  it('that fails or is taken back ends so', async () => {
    const { tracker, carbon } = measured()
    const fail = (error: Error) =>
      traced('generateText', { callId: 'a' }, () =>
        traced('languageModelCall', { callId: 'a' }, async () => {
          throw error
        }),
      )
    await expect(fail(new Error('as it should'))).rejects.toThrow('as it should')
    await expect(fail(new DOMException('taken back', 'AbortError'))).rejects.toThrow('taken back')
    expect(tracker.lines()).toEqual([
      'generateText: error',
      'small-1 < generateText: error',
      'generateText: aborted',
      'small-1 < generateText: aborted',
    ])
    expect(carbon.report()).toMatchObject([{ calls: 2, failedCalls: 2, callsWithoutTokens: 2 }])
  })

  it('of which nothing is recorded is told without tokens', async () => {
    const { tracker, carbon } = measured()
    await traced('generateText', { callId: 'a' }, () =>
      traced('languageModelCall', { callId: 'a' }, () => Promise.resolve()),
    )
    expect(tracker.lines()).toEqual(['generateText: ok', 'small-1 < generateText: ok'])
    expect(carbon.report()).toMatchObject([{ calls: 1, callsWithoutTokens: 1, failedCalls: 0 }])
  })
})

/** A stream as the AI SDK tells of it: its spans are opened by hand, and ended when it has been read. */
function openStream(callId: string) {
  const open = (type: string) => {
    const message: Record<string, unknown> = { type, event: privateEvent({ ...names, callId }) }
    let context: AsyncResource | undefined
    channel.start.runStores(message, () => {
      context = new AsyncResource('ai.telemetry')
    })
    channel.end.publish(message)
    return {
      run: <T>(fn: () => T): T | undefined => context?.runInAsyncScope(fn),
      end(result?: unknown, error?: unknown) {
        if (result !== undefined) message['result'] = result
        if (error !== undefined) message['error'] = error
        channel.asyncEnd.publish(message)
      },
    }
  }
  const whole = open('streamText')
  const step = whole.run(() => open('step'))
  const called = step?.run(() =>
    traced('languageModelCall', { callId }, () => Promise.resolve(privateEvent({ stream: {} }))),
  )
  return { whole, step, called }
}

describe('streamText', () => {
  it('ends with the stream, and so does the call of its model', async () => {
    const { tracker, carbon } = measured()
    const { whole, step, called } = openStream('a')
    await called
    expect(tracker.lines()).toEqual(['streamText: open', 'small-1 < streamText: open'])
    step?.end()
    expect(tracker.lines()).toEqual(['streamText: open', 'small-1 < streamText: ok'])
    whole.end()
    expect(tracker.lines()[0]).toBe('streamText: ok')
    expect(carbon.report()).toMatchObject([{ calls: 1, callsWithoutTokens: 1 }])
  })

  it('that is taken back ends all that is open', async () => {
    const { tracker } = measured()
    const { whole, called } = openStream('a')
    await called
    whole.end(undefined, new DOMException('', 'AbortError'))
    expect(tracker.lines()).toEqual(['streamText: aborted', 'small-1 < streamText: aborted'])
  })

  it('that nobody reads is ended when it is let go of', async () => {
    const { tracker } = measured()
    await openStream('a').called
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    await vi.waitFor(() => {
      collect()
      expect(tracker.lines()).toEqual(['streamText: aborted', 'small-1 < streamText: aborted'])
    })
  })
})

describe('an integration beside the channel', () => {
  const telemetry = () => carbonTelemetry({ tracker: recordedScopes() })
  const told = privateEvent({ callId: 'a', usage: { inputTokens: 10, outputTokens: 20 } })

  it('tells the tokens of streams', async () => {
    const { tracker, carbon } = measured()
    const { whole, step, called } = openStream('a')
    await called
    telemetry().onLanguageModelCallEnd(told)
    expect(tracker.lines()).toEqual(['streamText: open', 'small-1 < streamText: ok'])
    step?.end()
    whole.end()
    expect(carbon.report()).toMatchObject([{ calls: 1, inputTokens: 10, outputTokens: 20 }])
  })

  it('tells those of calls of which nothing is recorded', async () => {
    const { tracker, carbon } = measured()
    const beside = telemetry()
    await traced('generateText', { callId: 'a' }, () =>
      traced('step', { callId: 'a' }, async () => {
        await traced('languageModelCall', { callId: 'a' }, () => Promise.resolve())
        beside.onLanguageModelCallEnd(told)
      }),
    )
    expect(tracker.lines()).toEqual(['generateText: ok', 'small-1 < generateText: ok'])
    expect(carbon.report()).toMatchObject([{ calls: 1, inputTokens: 10, outputTokens: 20 }])
    expect(beside.report()).toEqual([])
  })
})

describe('the other functions', () => {
  it('that call a model once are such a call', async () => {
    const { tracker, carbon } = measured()
    await traced('embed', { callId: 'a' }, () => Promise.resolve(privateEvent({ usage: { tokens: 5 } })))
    await expect(traced('rerank', { callId: 'b' }, () => Promise.reject(new Error('no')))).rejects.toThrow(
      'no',
    )
    expect(tracker.lines()).toEqual(['small-1: ok', 'small-1: error'])
    expect(carbon.report()).toMatchObject([{ calls: 2, inputTokens: 5, failedCalls: 1 }])
  })

  it('that are not known stay unmeasured, and what they hold is measured', async () => {
    const { tracker } = measured()
    const job = tracker.beginScope({ name: 'job' })
    await job.run(() => traced('somethingNew', { callId: 'a' }, () => callModel('a')))
    expect(tracker.lines()).toEqual(['job: open', 'small-1 < job: ok'])
  })
})

describe('measuring', () => {
  it('goes by the options that came last, and stops', async () => {
    const [first, second] = [measured(), measured()]
    await traced('generateText', { callId: 'a' }, () => callModel('a'))
    first.carbon.stop()
    await traced('generateText', { callId: 'b' }, () => callModel('b'))
    second.carbon.stop()
    await traced('generateText', { callId: 'c' }, () => callModel('c'))
    expect(first.tracker.lines()).toEqual([])
    expect(second.tracker.lines()).toHaveLength(4)
    expect(channel.start.hasSubscribers).toBe(false)
  })

  it('goes by what came last in any copy of this package, and is told the tokens by any', async () => {
    const first = measured()
    const other = await anotherCopy(() => import('../../../src/integrations/ai/ai.ts'))
    const second = recordedScopes()
    const carbon = other.carbonAi({ tracker: second })
    onTestFinished(() => {
      carbon.stop()
    })
    const beside = carbonTelemetry({ tracker: first.tracker })
    await traced('generateText', { callId: 'a' }, () =>
      traced('step', { callId: 'a' }, async () => {
        await traced('languageModelCall', { callId: 'a' }, () => Promise.resolve())
        beside.onLanguageModelCallEnd(
          privateEvent({ callId: 'a', usage: { inputTokens: 10, outputTokens: 20 } }),
        )
      }),
    )
    expect(first.tracker.lines()).toEqual([])
    expect(second.lines()).toEqual(['generateText: ok', 'small-1 < generateText: ok'])
    expect(carbon.report()).toMatchObject([{ calls: 1, inputTokens: 10, outputTokens: 20 }])
  })

  it('that stops in the middle ends what goes on', async () => {
    const { tracker, carbon } = measured()
    await traced('generateText', { callId: 'a' }, async () => {
      await traced('executeTool', { callId: 'a', toolCall: { toolName: 'weather' } }, async () => {
        await traced('languageModelCall', { callId: 'a' }, async () => {
          carbon.stop()
          await Promise.resolve()
        })
      })
    })
    expect(tracker.lines()).toEqual([
      'generateText: aborted',
      'weather < generateText: aborted',
      'small-1 < generateText: aborted',
    ])
  })

  it('keeps the scope around where nothing can be measured, and harms nobody', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const broken = {
      beginScope() {
        throw new Error('no disk')
      },
    }
    const { carbon } = measured({ tracker: broken })
    const outer = recordedScopes().beginScope({ name: 'outer' })
    const seen = await outer.run(() =>
      traced('generateText', { callId: 'a' }, async () => {
        await callModel('a')
        return currentScope()?.name
      }),
    )
    expect(seen).toBe('outer')
    expect(carbon.report()).toMatchObject([{ calls: 1, outputTokens: 20 }])
    expect(warn.mock.calls[0]).toEqual(['AI SDK: no disk', 'CodeCarbonWarning'])
  })

  it('is begun by its hook, which leaves one be that is there', async () => {
    const tracker = recordedScopes()
    setProcessScopes(tracker)
    onTestFinished(() => {
      setProcessScopes(undefined)
      carbonAi().stop()
    })
    const registered: unknown[] = []
    const registerTelemetry = (integration: unknown): void => void registered.push(integration)
    aiHook.install({ registerTelemetry }, { name: 'ai', version: '7.0.0' })
    await traced('generateText', { callId: 'a' }, () => callModel('a'))
    expect(registered).toEqual([
      expect.objectContaining({ onLanguageModelCallEnd: expect.any(Function) as unknown }),
    ])
    expect(tracker.lines()).toHaveLength(2)
    const own = measured()
    aiHook.install({}, { name: 'ai', version: '7.0.0' })
    await traced('generateText', { callId: 'b' }, () => callModel('b'))
    expect([tracker.lines().length, own.tracker.lines().length]).toEqual([2, 2])
  })
})
