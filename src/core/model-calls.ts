/** What a call of a model took, or all calls of one model. What nobody told is `undefined`, which is not zero. */
export interface ModelCallUse {
  readonly provider: string
  readonly model: string
  /** As the provider told them. */
  readonly inputTokens?: number | undefined
  readonly outputTokens?: number | undefined
  /** What the model may have used elsewhere, by a factor that the user chose. Always an estimate, and no part of what the run has used. */
  readonly remoteEnergyJoules?: number | undefined
  /** In CO2 equivalents; told only where the factor has a carbon intensity. */
  readonly remoteEmissionsGrams?: number | undefined
}

/** Models by provider and name that are told apart; a careless program may name each by its time. */
export const mostModels = 100
/** What all others are called, as provider and as model. */
export const otherModels = '_other'

/** Characters of a name that are kept, in UTF-16: it is written at each scrape. */
const longestName = 128

/** Adds up calls by model: sums of what was told, none of which ever decreases. */
export class ModelCallTotals {
  readonly #totals = new Map<string, ModelCallUse>()

  /** Programs without types may hand in anything: what is no call is not counted. */
  add(given: unknown): void {
    const call = toModelCallUse(given)
    if (call === undefined) return
    const isTold = this.#totals.has(keyOf(call)) || this.#totals.size < mostModels
    const own = isTold ? call : { ...call, provider: otherModels, model: otherModels }
    const key = keyOf(own)
    const total = this.#totals.get(key)
    this.#totals.set(key, total === undefined ? own : plus(total, own))
  }

  list(): readonly ModelCallUse[] {
    return [...this.#totals.values()]
  }
}

/** A call as anybody may have handed it in or written it down; `undefined` where it has no names. Amounts that cannot be are not known. */
export function toModelCallUse(given: unknown): ModelCallUse | undefined {
  if (typeof given !== 'object' || given === null) return undefined
  const call = given as Readonly<Partial<Record<keyof ModelCallUse, unknown>>>
  const [provider, model] = [toName(call.provider), toName(call.model)]
  if (provider === undefined || model === undefined) return undefined
  return {
    provider,
    model,
    inputTokens: toAmount(call.inputTokens),
    outputTokens: toAmount(call.outputTokens),
    remoteEnergyJoules: toAmount(call.remoteEnergyJoules),
    remoteEmissionsGrams: toAmount(call.remoteEmissionsGrams),
  }
}

const plus = (a: ModelCallUse, b: ModelCallUse): ModelCallUse => ({
  provider: a.provider,
  model: a.model,
  inputTokens: sum(a.inputTokens, b.inputTokens),
  outputTokens: sum(a.outputTokens, b.outputTokens),
  remoteEnergyJoules: sum(a.remoteEnergyJoules, b.remoteEnergyJoules),
  remoteEmissionsGrams: sum(a.remoteEmissionsGrams, b.remoteEmissionsGrams),
})

const sum = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : a + b

const keyOf = ({ provider, model }: ModelCallUse): string => JSON.stringify([provider, model])

/** Half of a surrogate pair has no UTF-8: each would be written as the same replacement character, in two series of one name. */
const toName = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== ''
    ? value.slice(0, longestName).replace(/\p{Surrogate}/gu, '\uFFFD')
    : undefined

const toAmount = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
