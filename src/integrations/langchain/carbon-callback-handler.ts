import { performance } from 'node:perf_hooks'
import type { ModelCallSum } from '../model-calls/call-sums.ts'
import { ModelCalls, type ModelCallOptions } from '../model-calls/model-calls.ts'
import { outcomeOf } from '../../scopes/run-to-end.ts'
import { OpenRuns } from './open-runs.ts'
import { usageOf } from './usage.ts'

/** What LangChain tells of a component: the path of its class. */
interface Serialized {
  readonly id?: unknown
}

/**
 * A callback handler of LangChain: chains, tools, retrievers and calls of models are scopes, each part of the run around it, and those of models come with their tokens. What goes into them and comes
 * out is not looked at.
 *
 * LangChain waits for it, since it never waits itself: a start or an end that stands in the queue behind slow handlers would be told too late.
 *
 * @example
 * const handler = new CarbonCallbackHandler()
 * await chain.invoke({ question }, { callbacks: [handler] })
 * console.log(handler.report())
 */
export class CarbonCallbackHandler {
  readonly name = 'codecarbon'
  awaitHandlers = true
  raiseError = false
  ignoreLLM = false
  ignoreChain = false
  /** Rules tools, too. */
  ignoreAgent = false
  ignoreRetriever = false
  ignoreCustomEvent = true
  readonly #calls: ModelCalls
  readonly #runs = new OpenRuns(() => performance.now())

  /** @throws ConfigError for a wrong option */
  constructor(options: ModelCallOptions = {}) {
    this.#calls = new ModelCalls('LangChain', options, 'codecarbon/langchain: CarbonCallbackHandler')
  }

  /** Calls of models so far, summed up by model. */
  report(): readonly ModelCallSum[] {
    return this.#calls.report()
  }

  /** Waits until `onModelCall` has been given every call that has ended. */
  flush(): Promise<void> {
    return this.#calls.flush()
  }

  /** LangChain copies its lists of handlers; there is one book for all. */
  copy(): this {
    return this
  }

  handleChainStart(
    chain: Serialized,
    _inputs: unknown,
    runId: string,
    parentRunId?: string,
    _tags?: unknown,
    _metadata?: unknown,
    _runType?: unknown,
    runName?: unknown,
  ): void {
    this.#begin(runId, parentRunId, nameOf(runName, chain) ?? 'chain')
  }

  handleChainEnd(_outputs: unknown, runId: string): void {
    this.#runs.end(runId, 'ok')
  }

  handleChainError(error: unknown, runId: string): void {
    this.#runs.end(runId, outcomeOf(error))
  }

  handleToolStart(
    tool: Serialized,
    _input: unknown,
    runId: string,
    parentRunId?: string,
    _tags?: unknown,
    _metadata?: unknown,
    runName?: unknown,
  ): void {
    this.#begin(runId, parentRunId, nameOf(runName, tool) ?? 'tool')
  }

  handleToolEnd(_output: unknown, runId: string): void {
    this.#runs.end(runId, 'ok')
  }

  handleToolError(error: unknown, runId: string): void {
    this.#runs.end(runId, outcomeOf(error))
  }

  handleRetrieverStart(
    retriever: Serialized,
    _query: unknown,
    runId: string,
    parentRunId?: string,
    _tags?: unknown,
    _metadata?: unknown,
    runName?: unknown,
  ): void {
    this.#begin(runId, parentRunId, nameOf(runName, retriever) ?? 'retriever')
  }

  handleRetrieverEnd(_documents: unknown, runId: string): void {
    this.#runs.end(runId, 'ok')
  }

  handleRetrieverError(error: unknown, runId: string): void {
    this.#runs.end(runId, outcomeOf(error))
  }

  handleChatModelStart(
    model: Serialized,
    _messages: unknown,
    runId: string,
    parentRunId?: string,
    extraParams?: unknown,
    _tags?: unknown,
    metadata?: unknown,
  ): void {
    this.#beginModelCall(model, runId, parentRunId, extraParams, metadata)
  }

  handleLLMStart(
    model: Serialized,
    _prompts: unknown,
    runId: string,
    parentRunId?: string,
    extraParams?: unknown,
    _tags?: unknown,
    metadata?: unknown,
  ): void {
    this.#beginModelCall(model, runId, parentRunId, extraParams, metadata)
  }

  handleLLMEnd(output: unknown, runId: string): void {
    this.#runs.end(
      runId,
      'ok',
      this.#calls.scopes.attempt(() => usageOf(output)),
    )
  }

  handleLLMError(error: unknown, runId: string): void {
    this.#runs.end(runId, outcomeOf(error))
  }

  #begin(runId: string, parentRunId: string | undefined, name: string): void {
    const parent = this.#runs.scopeOf(parentRunId)
    const scope = this.#calls.scopes.begin({ name, parent })
    this.#runs.add(runId, parentRunId, { scope, end: (outcome) => scope?.end(outcome) })
  }

  #beginModelCall(
    model: Serialized,
    runId: string,
    parentRunId: string | undefined,
    extraParams: unknown,
    metadata: unknown,
  ): void {
    const { ls_provider: provider, ls_model_name: name } = fieldsOf(metadata)
    const { model: asked, model_name: olderAsked } = fieldsOf(fieldsOf(extraParams)['invocation_params'])
    const called = name ?? asked ?? olderAsked ?? nameOf(undefined, model)
    const call = this.#calls.begin(provider, called, this.#runs.scopeOf(parentRunId))
    this.#runs.add(runId, parentRunId, {
      scope: call?.scope,
      end: (outcome, tokens) => call?.end(outcome, tokens),
    })
  }
}

/** The name that the program gave a run, or else its class. */
function nameOf(runName: unknown, component: Serialized): string | undefined {
  if (typeof runName === 'string' && runName !== '') return runName
  const path = component?.id
  const last: unknown = Array.isArray(path) ? path.at(-1) : undefined
  return typeof last === 'string' && last !== '' ? last : undefined
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
