import type { WorkScope } from '../../scopes/work-scope.ts'
import type { TokenCounts } from '../model-calls/model-call.ts'
import type { ModelCalls, OpenModelCall } from '../model-calls/model-calls.ts'
import { silenceMs } from '../model-calls/silence.ts'

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
  lastSignMs: number
}

/** Operations that go on at a time; of more the one is given up that is silent for longest. */
const mostOpen = 10_000

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

/** Calls of the functions of the AI SDK that go on, by their ids. Those of which nothing is told for long, not even an end, are given up when something else begins. */
export class Operations {
  readonly #calls: ModelCalls
  /** Silent ones stand first. */
  readonly #open = new Map<string, Operation>()

  constructor(calls: ModelCalls) {
    this.#calls = calls
  }

  /**
   * @param type the name of the function, and of its scope where the program gave it none
   * @returns the scope; `undefined` where it is no such function
   */
  begin(event: OperationEvent, type: string): WorkScope | undefined {
    // Nothing could end it.
    if (event.callId === undefined) return undefined
    if (outerTypes.has(type)) {
      const scope = this.#calls.scopes.begin({ name: event.functionId ?? type })
      this.#add(event.callId, { type, scope })
      return scope
    }
    if (!modelTypes.has(type)) return undefined
    const call = this.#calls.begin(event.provider, event.modelId)
    this.#add(event.callId, { type, call })
    return call?.scope
  }

  beginModelCall(event: OperationEvent): OpenModelCall | undefined {
    const { callId } = event
    if (callId === undefined) return undefined
    const operation = this.#of(event)
    const call = this.#calls.begin(event.provider, event.modelId, operation?.scope)
    // Of a function that is not known its call may be told no end, too.
    if (operation === undefined) this.#add(callId, { type: '', call })
    else operation.call = call
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
    for (const callId of [...this.#open.keys()]) this.end({ callId }, 'aborted')
  }

  #add(
    callId: string,
    { type, scope, call }: Pick<Operation, 'type'> & Partial<Pick<Operation, 'scope' | 'call'>>,
  ): void {
    this.#giveUpSilent()
    this.end({ callId }, 'aborted')
    this.#open.set(callId, { type, scope, call, tools: new Set(), lastSignMs: performance.now() })
  }

  /** Is alive, whoever asks. */
  #of({ callId }: OperationEvent): Operation | undefined {
    const operation = callId === undefined ? undefined : this.#open.get(callId)
    if (callId === undefined || operation === undefined) return undefined
    operation.lastSignMs = performance.now()
    this.#open.delete(callId)
    this.#open.set(callId, operation)
    return operation
  }

  #giveUpSilent(): void {
    const latest = performance.now() - silenceMs
    for (const [callId, { lastSignMs }] of this.#open) {
      if (lastSignMs > latest && this.#open.size < mostOpen) return
      this.end({ callId }, 'aborted')
    }
  }
}
