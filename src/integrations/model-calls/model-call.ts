import type { ScopeRecord } from '../../scopes/work-scope.ts'
import type { ModelName, RemoteEstimate } from './remote-factor.ts'

/** Tokens of a call, as the provider told them; `undefined` where it did not. */
export interface TokenCounts {
  readonly input: number | undefined
  /** Those of reasoning among them. */
  readonly output: number | undefined
}

/** A call of a model that has ended. It holds nothing of what was asked and answered. */
export interface ModelCallRecord extends ModelName {
  /** `ok`, `error` or `aborted`. */
  readonly outcome: string
  readonly tokens: TokenCounts
  /** What this machine used while it waited; `undefined` where nobody could tell. */
  readonly local: ScopeRecord | undefined
  /** What the model may have used elsewhere, where a factor was chosen and the tokens are known. No part of any total. */
  readonly remote: RemoteEstimate | undefined
}

/** The number of tokens where it is one. */
export const tokenCount = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
