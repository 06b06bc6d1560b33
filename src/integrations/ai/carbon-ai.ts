import { tracingChannel, type TracingChannelSubscribers } from 'node:diagnostics_channel'
import { scopeStorage } from '../../scopes/current-scope.ts'
import type { WorkScope } from '../../scopes/work-scope.ts'
import type { ModelCallSum } from '../model-calls/call-sums.ts'
import { ModelCalls, type ModelCallOptions, type OpenModelCall } from '../model-calls/model-calls.ts'
import { outcomeOf } from '../run-in-scope.ts'
import { Operations, type OperationEvent } from './operations.ts'
import { usageOf } from './usage.ts'

/** What measures the calls of the AI SDK. */
export interface CarbonAi {
  /** Calls of models so far, summed up by model. */
  report(): readonly ModelCallSum[]
  /** Waits until `onModelCall` has been given every call that has ended. */
  flush(): Promise<void>
  /** Measures no more. */
  stop(): void
}

/** A message of the channel: the same object from the start of something to its end. */
interface Message {
  readonly type?: string
  readonly event?: OperationEvent & { readonly toolCall?: { readonly toolName?: string } }
  readonly result?: unknown
  readonly error?: unknown
}

/** Documented by the AI SDK as AI_SDK_TELEMETRY_TRACING_CHANNEL, since its version 7. */
const channelName = 'ai:telemetry'

/** Of the channel there is one in a process. */
let current: CarbonAi | undefined

/** Whether the channel is listened to, so that nobody else needs to. */
export const isListening = (): boolean => current !== undefined

/**
 * Measures every call of the AI SDK (`ai` 7 and later) in this process, by the channel on which it tells of them: `generateText` and its like, each call of a model with its tokens, and each tool. What
 * is asked and answered is not looked at. Called again, it measures by the new options.
 *
 * A call with `telemetry: { isEnabled: false }` is not told, and one with `recordInputs` or `recordOutputs: false` is told without its tokens, which `carbonTelemetry` knows.
 *
 * @throws ConfigError for a wrong option
 * @example
 * const carbon = carbonAi()
 * await generateText({ model, prompt, telemetry: { functionId: 'answer' } })
 * console.log(carbon.report())
 */
export function carbonAi(options: ModelCallOptions = {}): CarbonAi {
  const calls = new ModelCalls('AI SDK', options)
  current?.stop()
  const { begin, subscribers } = listen(calls)
  const channel = tracingChannel<unknown, object>(channelName)
  channel.start.bindStore(
    scopeStorage,
    (message) => calls.scopes.attempt(() => begin(message)) ?? scopeStorage.getStore(),
  )
  channel.subscribe(subscribers)
  const carbon: CarbonAi = {
    report: () => calls.report(),
    flush: () => calls.flush(),
    stop() {
      if (current !== carbon) return
      current = undefined
      channel.start.unbindStore(scopeStorage)
      channel.unsubscribe(subscribers)
    },
  }
  current = carbon
  return carbon
}

/** What is done at the start of something, which tells its scope, and at its end. */
function listen(calls: ModelCalls): {
  readonly begin: (message: Message) => WorkScope | undefined
  readonly subscribers: TracingChannelSubscribers<object>
} {
  const operations = new Operations(calls)
  const modelCalls = new WeakMap<Message, OpenModelCall>()
  const tools = new WeakMap<Message, WorkScope>()
  /** Streams that nobody reads to their end are told no end. */
  const abandoned = new FinalizationRegistry<OperationEvent>((event) => {
    operations.end(event, 'aborted')
  })

  const begin = (message: Message): WorkScope | undefined => {
    const { type = '', event = {} } = message
    if (type === 'languageModelCall') {
      const call = operations.beginModelCall(event)
      if (call !== undefined) modelCalls.set(message, call)
      return call?.scope
    }
    if (type === 'executeTool') {
      const scope = operations.beginTool(event, event.toolCall?.toolName ?? 'tool')
      if (scope !== undefined) tools.set(message, scope)
      return scope
    }
    if (type === 'streamText') abandoned.register(message, { callId: event.callId })
    return operations.begin(event, type)
  }

  const end = (message: Message): void => {
    const { type = '', event = {}, result, error } = message
    const outcome = error === undefined ? 'ok' : outcomeOf(error)
    if (type === 'languageModelCall') {
      if (outcome !== 'ok' || !operations.isStream(event))
        modelCalls.get(message)?.end(outcome, usageOfResult(result))
    } else if (type === 'executeTool') tools.get(message)?.end(outcome)
    else if (type === 'step') operations.endModelCall(event, outcome, usageOfResult(result))
    else operations.end(event, outcome, usageOfResult(result))
  }

  const ignore = (): void => {}
  return {
    begin,
    subscribers: {
      start: ignore,
      end: ignore,
      asyncStart: ignore,
      asyncEnd: (message) => {
        calls.scopes.attempt(() => {
          end(message)
        })
      },
      error: ignore,
    },
  }
}

const usageOfResult = (result: unknown): ReturnType<typeof usageOf> =>
  usageOf(typeof result === 'object' && result !== null && 'usage' in result ? result.usage : undefined)
