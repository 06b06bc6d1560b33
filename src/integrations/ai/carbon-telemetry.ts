import type { ModelCallSum } from '../model-calls/call-sums.ts'
import { ModelCalls, type ModelCallOptions } from '../model-calls/model-calls.ts'
import { outcomeOf } from '../../scopes/run-to-end.ts'
import { runInScope } from '../hook-parts/run-in-scope.ts'
import { channelUse } from './channel-use.ts'
import { Operations, type OperationEvent } from './operations.ts'
import { usageOf } from './usage.ts'

/** An integration for `registerTelemetry` of the AI SDK, or for the option `telemetry` of one call. */
export interface CarbonTelemetry {
  onStart(event: OperationEvent & { readonly operationId?: string | undefined }): void
  executeLanguageModelCall<T>(call: OperationEvent & { execute(): PromiseLike<T> }): Promise<T>
  onLanguageModelCallEnd(event: OperationEvent & { readonly usage?: unknown }): void
  executeTool<T>(
    call: OperationEvent & {
      readonly toolCall?: { readonly toolName?: string } | undefined
      execute(): PromiseLike<T>
    },
  ): Promise<T>
  onEnd(event: OperationEvent & { readonly usage?: unknown }): void
  onAbort(event: OperationEvent): void
  onError(event: unknown): void
  /** Calls of models so far, summed up by model. */
  report(): readonly ModelCallSum[]
  /** Waits until `onModelCall` has been given every call that has ended. */
  flush(): Promise<void>
}

/**
 * The same as `carbonAi`, as an integration: for some calls alone, or beside `carbonAi`, which is then told the tokens of streams and of calls whose inputs or outputs are not recorded, and which
 * measures alone.
 *
 * @throws ConfigError for a wrong option
 * @example
 * registerTelemetry(carbonTelemetry())
 */
export function carbonTelemetry(options: ModelCallOptions = {}): CarbonTelemetry {
  const calls = new ModelCalls('AI SDK', options, 'codecarbon/ai: carbonTelemetry')
  const operations = new Operations(calls)
  channelUse.areTokensToldBeside = true
  const safely = (action: () => void): void => {
    calls.scopes.attempt(action)
  }
  return {
    onStart: (event) => {
      if (channelUse.listener !== undefined) return
      safely(() => operations.begin(event, (event.operationId ?? '').replace(/^ai\./, '')))
    },
    async executeLanguageModelCall(event) {
      if (channelUse.listener !== undefined) return event.execute()
      const call = calls.scopes.attempt(() => operations.beginModelCall(event))
      try {
        return await (call?.scope === undefined ? event.execute() : call.scope.run(() => event.execute()))
      } catch (error) {
        call?.end(outcomeOf(error))
        throw error
      }
    },
    onLanguageModelCallEnd: (event) => {
      safely(() => {
        const { listener } = channelUse
        if (listener === undefined) operations.endModelCall(event, 'ok', usageOf(event.usage))
        else listener.tellTokens(event, event.usage)
      })
    },
    async executeTool(event) {
      if (channelUse.listener !== undefined) return event.execute()
      const name = event.toolCall?.toolName ?? 'tool'
      return runInScope(
        calls.scopes.attempt(() => operations.beginTool(event, name)),
        () => event.execute(),
      )
    },
    onEnd: (event) => {
      safely(() => {
        operations.end(event, 'ok', usageOf(event.usage))
      })
    },
    onAbort: (event) => {
      safely(() => {
        operations.end(event, 'aborted')
      })
    },
    onError: (event) => {
      safely(() => {
        const failed = event as OperationEvent & { readonly error?: unknown }
        operations.end(failed, outcomeOf(failed.error))
      })
    },
    report: () => calls.report(),
    flush: () => calls.flush(),
  }
}
