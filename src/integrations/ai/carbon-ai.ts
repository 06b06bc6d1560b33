import { tracingChannel, type TracingChannelSubscribers } from 'node:diagnostics_channel'
import { scopeStorage } from '../../scopes/current-scope.ts'
import type { WorkScope } from '../../scopes/work-scope.ts'
import type { ModelCallSum } from '../model-calls/call-sums.ts'
import { ModelCalls, type ModelCallOptions, type OpenModelCall } from '../model-calls/model-calls.ts'
import { outcomeOf } from '../../scopes/run-to-end.ts'
import { channelUse, type ChannelListener } from './channel-use.ts'
import { Operations, type OperationEvent } from './operations.ts'
import { usageOf } from './usage.ts'

/** What measures the calls of the AI SDK. */
export interface CarbonAi {
  /** Calls of models so far, summed up by model. */
  report(): readonly ModelCallSum[]
  /** Waits until `onModelCall` has been given every call that has ended. */
  flush(): Promise<void>
  /** Measures no more; what goes on is ended as `aborted`. */
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

/**
 * Measures every call of the AI SDK (`ai` 7 and later) in this process, by the channel on which it tells of them: `generateText` and its like, each call of a model with its tokens, and each tool. What
 * is asked and answered is not looked at. Called again, it measures by the new options.
 *
 * The channel does not tell the tokens of streams, nor those of calls with `recordInputs` or `recordOutputs: false`: `registerTelemetry(carbonTelemetry())` beside it does. It tells nothing of calls
 * with `telemetry: { isEnabled: false }`.
 *
 * @throws ConfigError for a wrong option
 * @example
 * const carbon = carbonAi()
 * await generateText({ model, prompt, telemetry: { functionId: 'answer' } })
 * console.log(carbon.report())
 */
export function carbonAi(options: ModelCallOptions = {}): CarbonAi {
  const calls = new ModelCalls('AI SDK', options, 'codecarbon/ai: carbonAi')
  channelUse.listener?.stop()
  const operations = new Operations(calls)
  const { begin, subscribers, tellTokens } = listen(calls, operations)
  const channel = tracingChannel<unknown, object>(channelName)
  channel.start.bindStore(
    scopeStorage,
    (message) =>
      calls.scopes.attempt(() => begin(message)?.run(() => scopeStorage.getStore())) ??
      scopeStorage.getStore(),
  )
  channel.subscribe(subscribers)
  const listener: ChannelListener = {
    tellTokens,
    stop() {
      if (channelUse.listener !== listener) return
      channelUse.listener = undefined
      channel.start.unbindStore(scopeStorage)
      channel.unsubscribe(subscribers)
      operations.giveUp()
    },
  }
  channelUse.listener = listener
  return {
    report: () => calls.report(),
    flush: () => calls.flush(),
    stop: () => {
      listener.stop()
    },
  }
}

/** What is done at the start of something, which tells its scope, and at its end. */
function listen(
  calls: ModelCalls,
  operations: Operations,
): {
  readonly begin: (message: Message) => WorkScope | undefined
  readonly subscribers: TracingChannelSubscribers<object>
  readonly tellTokens: ChannelListener['tellTokens']
} {
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
      const tokens = usageOfResult(result)
      const goesOn =
        operations.isStream(event) || (tokens.output === undefined && channelUse.areTokensToldBeside)
      if (outcome !== 'ok' || !goesOn) modelCalls.get(message)?.end(outcome, tokens)
    } else if (type === 'executeTool') tools.get(message)?.end(outcome)
    else if (type === 'step') operations.endModelCall(event, outcome)
    else operations.end(event, outcome, usageOfResult(result))
  }

  const ignore = (): void => {}
  return {
    begin,
    tellTokens(event, usage) {
      operations.endModelCall(event, 'ok', usageOf(usage))
    },
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
