import type { WorkScope } from '../../scopes/work-scope.ts'
import type { TokenCounts } from '../model-calls/model-call.ts'
import type { ModelCalls, OpenModelCall } from '../model-calls/model-calls.ts'

/** What is looked at of an event of the AI SDK: names, and never what is asked and answered. */
export interface OperationEvent {
  /** Same for all events of one call of `generateText` and its like. */
  readonly callId?: string | undefined
  /** Name that the program gave it, in its option `telemetry`. */
  readonly functionId?: string | undefined
  readonly provider?: string | undefined
  readonly modelId?: string | undefined
}

/** A call of `generateText` and its like. */
interface Operation {
  readonly type: string
  readonly scope: WorkScope | undefined
  /** The latest call of a model. */
  call: OpenModelCall | undefined
  readonly tools: Set<WorkScope>
}

/** Functions that call models, and tools, as often as it takes. */
const outerTypes: ReadonlySet<string> = new Set(['generateText', 'streamText'])
/** Functions that call a model once. */
const modelTypes: ReadonlySet<string> = new Set([
  'embed',
  'embedMany',
  'rerank',
  'generateSpeech',
  'transcribe',
  'streamTranscribe',
  'experimental_decide',
])

/** Calls of the functions of the AI SDK that go on, by their ids. */
export class Operations {
  readonly #calls: ModelCalls
  readonly #open = new Map<string, Operation>()

  constructor(calls: ModelCalls) {
    this.#calls = calls
  }

  /**
   * @param type the name of the function, and of its scope where the program gave it none
   * @returns the scope; `undefined` where it is no such function
   */
  begin(event: OperationEvent, type: string): WorkScope | undefined {
    if (outerTypes.has(type)) {
      const scope = this.#calls.scopes.begin({ name: event.functionId ?? type })
      this.#add(event, { type, scope, call: undefined, tools: new Set() })
      return scope
    }
    if (!modelTypes.has(type)) return undefined
    const call = this.#calls.begin(event.provider, event.modelId)
    this.#add(event, { type, scope: undefined, call, tools: new Set() })
    return call?.scope
  }

  beginModelCall(event: OperationEvent): OpenModelCall | undefined {
    const operation = this.#of(event)
    const call = this.#calls.begin(event.provider, event.modelId, operation?.scope)
    if (operation !== undefined) operation.call = call
    return call
  }

  /** Whether the call of a model goes on when its promise has been kept, since it is a stream. */
  isStream(event: OperationEvent): boolean {
    return this.#of(event)?.type === 'streamText'
  }

  /** Ends the call of a model that the operation waits for, if any. */
  endModelCall(event: OperationEvent, outcome: string, tokens?: Partial<TokenCounts>): void {
    this.#of(event)?.call?.end(outcome, tokens)
  }

  beginTool(event: OperationEvent, name: string): WorkScope | undefined {
    const operation = this.#of(event)
    const scope = this.#calls.scopes.begin({ name, parent: operation?.scope })
    if (scope !== undefined) operation?.tools.add(scope)
    return scope
  }

  /**
   * Ends the operation, and with it the call of a model and the tools whose end nobody told.
   *
   * @param tokens of the call, where the operation is one
   */
  end(event: OperationEvent, outcome: string, tokens?: Partial<TokenCounts>): void {
    const operation = this.#of(event)
    if (operation === undefined) return
    const isCall = modelTypes.has(operation.type)
    operation.call?.end(isCall || outcome !== 'ok' ? outcome : 'aborted', isCall ? tokens : undefined)
    for (const tool of operation.tools) tool.end(outcome === 'ok' ? 'aborted' : outcome)
    operation.scope?.end(outcome)
    if (event.callId !== undefined) this.#open.delete(event.callId)
  }

  /** Ends all that is open, of which nothing more will be told. */
  giveUp(): void {
    for (const callId of this.#open.keys()) this.end({ callId }, 'aborted')
  }

  #add({ callId }: OperationEvent, operation: Operation): void {
    if (callId !== undefined) this.#open.set(callId, operation)
  }

  #of({ callId }: OperationEvent): Operation | undefined {
    return callId === undefined ? undefined : this.#open.get(callId)
  }
}
