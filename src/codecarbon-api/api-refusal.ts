import type { RefusalRules } from '../http/json-api.ts'
import { kindOfHead, Refusal, usualWords } from '../http/refusal.ts'

/**
 * Why the CodeCarbon API did not carry something out, besides the usual.
 *
 * - `key`: it does not let this key in
 * - `unexpected`: a success, but not the one that the API answers with, so that nobody knows what was done
 */
type ApiKind = 'key' | 'unexpected'

/** A request that the CodeCarbon API did not carry out. */
export class ApiRefusal extends Refusal<ApiKind> {
  override readonly name = 'ApiRefusal'
}

/** What counts as a success is one status alone. */
export const rulesFor = (expectedStatus: number): RefusalRules<ApiKind> => ({
  codeIn: () => undefined,
  kindOf(head) {
    if (head.status === expectedStatus && !head.isPage) return undefined
    if (head.status === 401 || head.status === 403) return 'key'
    return kindOfHead(head) ?? 'unexpected'
  },
  words: {
    ...usualWords,
    key: 'does not let this API key write to this experiment: check api_key and experiment_id',
    access: 'does not let this API key write to this experiment: check api_key and experiment_id',
    address:
      'has no CodeCarbon API, or not this experiment, at this address: check api_endpoint and experiment_id',
    unexpected: 'answered otherwise than the CodeCarbon API does: check api_endpoint',
    refused: 'did not take what was sent',
  },
  Refusal: ApiRefusal,
})
