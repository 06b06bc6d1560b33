import { ConfigError } from '../../core/errors.ts'
import { show } from '../../core/show.ts'
import type { ModelCallUse } from '../../core/model-calls.ts'
import { checkNames } from '../../scopes/check-options.ts'
import { currentScope } from '../../scopes/current-scope.ts'
import type { ScopeSource } from '../../scopes/process-scopes.ts'
import type { WorkScope } from '../../scopes/work-scope.ts'
import { createHookScopes, type HookScopes } from '../../scopes/hook-scopes.ts'
import { CallSums, type ModelCallSum } from './call-sums.ts'
import { tokenCount, type ModelCallRecord, type TokenCounts } from './model-call.ts'
import {
  estimateRemote,
  toFactor,
  type ModelName,
  type RemoteEstimate,
  type RemoteFactorOption,
} from './remote-factor.ts'

/** Options of whatever measures calls of models. */
export interface ModelCallOptions {
  /** A tracker. @default that of the process, which is begun where there is none */
  readonly tracker?: ScopeSource | undefined
  /** By what to estimate what models use elsewhere. @default nothing is estimated */
  readonly remoteFactor?: RemoteFactorOption | undefined
  /** Counts output tokens as functional units, for the SCI. @default false */
  readonly countTokens?: boolean | undefined
  /** Is given each call that has ended, at the next measurement. */
  readonly onModelCall?: ((call: ModelCallRecord) => void) | undefined
}

/** A call of a model that goes on. */
export interface OpenModelCall {
  /** `undefined` where nothing measures it; its tokens count all the same. */
  readonly scope: WorkScope | undefined
  /** Idempotent. */
  end(outcome: string, tokens?: Partial<TokenCounts>): void
}

const longestName = 100

/** Calls of models: a scope and the tokens of each, and their sums by model. */
export class ModelCalls {
  readonly scopes: HookScopes
  readonly #options: ModelCallOptions
  readonly #sums = new CallSums()
  readonly #untold = new Set<Promise<void>>()

  /**
   * @param hook what is measured, for messages
   * @param door the function that is given the options, for messages about them. @default the same
   * @throws ConfigError for a wrong option
   */
  constructor(hook: string, options: ModelCallOptions, door: string = hook) {
    checkNames(door, options, { tracker: true, remoteFactor: true, countTokens: true, onModelCall: true })
    const { tracker, remoteFactor, countTokens = false, onModelCall } = options
    this.scopes = createHookScopes(hook, tracker, door)
    if (remoteFactor !== undefined && typeof remoteFactor !== 'function') toFactor(remoteFactor)
    if (typeof countTokens !== 'boolean')
      throw new ConfigError(`${door}: option countTokens: expected true or false, got ${show(countTokens)}`)
    if (onModelCall !== undefined && typeof onModelCall !== 'function')
      throw new ConfigError(`${door}: option onModelCall: expected a function, got ${show(onModelCall)}`)
    this.#options = options
  }

  /**
   * Begins a call. Inside of another call of a model it is the same one in other clothes, which counts once: then `undefined`.
   *
   * @param parent what it is part of; the current scope where it is `undefined`
   */
  begin(provider: unknown, model: unknown, parent?: WorkScope): OpenModelCall | undefined {
    if ((parent ?? currentScope())?.kind === 'model call') return undefined
    const name: ModelName = { provider: nameOf(provider), model: nameOf(model) }
    const scope = this.scopes.begin({
      name: name.model,
      kind: 'model call',
      labels: { provider: name.provider },
      parent,
    })
    let hasEnded = false
    return {
      scope,
      end: (outcome, { input, output } = {}) => {
        if (hasEnded) return
        hasEnded = true
        const tokens = { input: tokenCount(input), output: tokenCount(output) }
        if (this.#options.countTokens === true && tokens.output !== undefined)
          scope?.countFunctionalUnits(tokens.output)
        const remote = this.scopes.attempt(() => this.#estimate(name, tokens.output))
        this.scopes.attempt(() => scope?.countModelCall?.(toUse(name, tokens, remote)))
        scope?.end(outcome)
        this.#ended({ ...name, outcome, tokens, remote }, scope)
      },
    }
  }

  /** The sums so far. */
  report(): readonly ModelCallSum[] {
    return this.#sums.list()
  }

  /** Waits until `onModelCall` has been given every call that has ended. */
  async flush(): Promise<void> {
    await Promise.all(this.#untold)
  }

  #ended(call: Omit<ModelCallRecord, 'local'>, scope: WorkScope | undefined): void {
    this.#sums.add(call, call.remote)
    const { onModelCall } = this.#options
    if (onModelCall === undefined) return
    const telling = this.#tell(onModelCall, call, scope).finally(() => this.#untold.delete(telling))
    this.#untold.add(telling)
  }

  async #tell(
    onModelCall: (call: ModelCallRecord) => void,
    call: Omit<ModelCallRecord, 'local'>,
    scope: WorkScope | undefined,
  ): Promise<void> {
    const local = await scope?.settled().catch(() => undefined)
    this.scopes.attempt(() => {
      onModelCall({ ...call, local })
    })
  }

  #estimate({ provider, model }: ModelName, outputTokens: number | undefined): RemoteEstimate | undefined {
    const { remoteFactor } = this.#options
    if (remoteFactor === undefined || outputTokens === undefined) return undefined
    const chosen = typeof remoteFactor === 'function' ? remoteFactor({ provider, model }) : remoteFactor
    return chosen === undefined ? undefined : estimateRemote(toFactor(chosen), outputTokens)
  }
}

const toUse = (
  { provider, model }: ModelName,
  { input, output }: TokenCounts,
  remote: RemoteEstimate | undefined,
): ModelCallUse => ({
  provider,
  model,
  inputTokens: input,
  outputTokens: output,
  remoteEnergyJoules: remote?.energyJoules,
  remoteEmissionsGrams: remote?.emissionsGrams,
})

const nameOf = (value: unknown): string =>
  typeof value === 'string' && value !== '' ? value.slice(0, longestName) : 'unknown'
