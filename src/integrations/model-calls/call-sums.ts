import { mostModels, otherModels } from '../../core/model-calls.ts'
import type { TokenCounts } from './model-call.ts'
import type { ModelName, RemoteEstimate } from './remote-factor.ts'

/** All calls of one model so far. */
export interface ModelCallSum extends ModelName {
  readonly calls: number
  /** Of them, those that failed or were given up. */
  readonly failedCalls: number
  /** Of them, those of whose tokens nothing is known. */
  readonly callsWithoutTokens: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly remote: RemoteSum | undefined
}

/** What the model may have used elsewhere for all calls that were estimated. Always an estimate. */
export interface RemoteSum {
  readonly method: 'estimated'
  readonly calls: number
  readonly energyJoules: number
  readonly energyLowJoules: number
  readonly energyHighJoules: number
  /** Grams of CO2 equivalents; `undefined` where that of some call is. */
  readonly emissionsGrams: number | undefined
  readonly emissionsLowGrams: number | undefined
  readonly emissionsHighGrams: number | undefined
  /** Sources of the factors. */
  readonly sources: readonly string[]
}

const other: ModelName = { provider: otherModels, model: otherModels }

/** Sums up calls by model. */
export class CallSums {
  readonly #sums = new Map<string, ModelCallSum>()

  add(
    call: ModelName & { readonly outcome: string; readonly tokens: TokenCounts },
    remote: RemoteEstimate | undefined,
  ): void {
    const own = keyOf(call)
    const name = this.#sums.has(own) || this.#sums.size < mostModels ? call : other
    const key = keyOf(name)
    const sum = this.#sums.get(key) ?? emptySum(name)
    const { input, output } = call.tokens
    this.#sums.set(key, {
      ...sum,
      calls: sum.calls + 1,
      failedCalls: sum.failedCalls + (call.outcome === 'ok' ? 0 : 1),
      callsWithoutTokens: sum.callsWithoutTokens + (input === undefined && output === undefined ? 1 : 0),
      inputTokens: sum.inputTokens + (input ?? 0),
      outputTokens: sum.outputTokens + (output ?? 0),
      remote: remote === undefined ? sum.remote : plus(sum.remote, remote),
    })
  }

  list(): readonly ModelCallSum[] {
    return [...this.#sums.values()]
  }
}

const keyOf = ({ provider, model }: ModelName): string => JSON.stringify([provider, model])

const emptySum = ({ provider, model }: ModelName): ModelCallSum => ({
  provider,
  model,
  calls: 0,
  failedCalls: 0,
  callsWithoutTokens: 0,
  inputTokens: 0,
  outputTokens: 0,
  remote: undefined,
})

function plus(sum: RemoteSum | undefined, call: RemoteEstimate): RemoteSum {
  if (sum === undefined) {
    const { factor: _, source, ...figures } = call
    return { ...figures, calls: 1, sources: [source] }
  }
  return {
    method: 'estimated',
    calls: sum.calls + 1,
    energyJoules: sum.energyJoules + call.energyJoules,
    energyLowJoules: sum.energyLowJoules + call.energyLowJoules,
    energyHighJoules: sum.energyHighJoules + call.energyHighJoules,
    emissionsGrams: both(sum.emissionsGrams, call.emissionsGrams),
    emissionsLowGrams: both(sum.emissionsLowGrams, call.emissionsLowGrams),
    emissionsHighGrams: both(sum.emissionsHighGrams, call.emissionsHighGrams),
    sources: sum.sources.includes(call.source) ? sum.sources : [...sum.sources, call.source],
  }
}

const both = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a + b
