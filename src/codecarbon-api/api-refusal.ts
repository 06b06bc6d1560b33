import type { RefusalRules } from '../http/json-api.ts'
import { kindOfHead, Refusal, usualWords, type AnswerHead } from '../http/refusal.ts'

/**
 * Why the CodeCarbon API did not carry something out, besides the usual.
 *
 * - `key`: it does not let this key in
 * - `unreadable`: it does not show this to this key, or to anybody
 * - `unexpected`: a success, but not the one that the API answers with, so that nobody knows what was done
 */
type ApiKind = 'key' | 'unreadable' | 'unexpected'

/** A request that the CodeCarbon API did not carry out. */
export class ApiRefusal extends Refusal<ApiKind> {
  override readonly name = 'ApiRefusal'
}

const words = {
  ...usualWords,
  key: 'does not let this API key write to this experiment: check api_key and experiment_id',
  access: 'does not let this API key write to this experiment: check api_key and experiment_id',
  address:
    'has no CodeCarbon API, or not this experiment, at this address: check api_endpoint and experiment_id',
  unreadable: 'does not let this API key read',
  unexpected: 'answered otherwise than the CodeCarbon API does: check api_endpoint',
  refused: 'did not take what was sent',
} as const

/** What counts as a success is one status alone. */
const rulesFor = (
  expectedStatus: number,
  ownKindOf: (head: AnswerHead) => ApiKind | undefined,
): RefusalRules<ApiKind> => ({
  codeIn: () => undefined,
  kindOf(head) {
    if (head.status === expectedStatus && !head.isPage) return undefined
    return ownKindOf(head) ?? kindOfHead(head) ?? 'unexpected'
  },
  words,
  Refusal: ApiRefusal,
})

export const writingRules: RefusalRules<ApiKind> = rulesFor(201, ({ status }) =>
  status === 401 || status === 403 ? 'key' : undefined,
)

const unreadable: ReadonlySet<number> = new Set([401, 403, 404, 405, 422])

/** A page is that of somebody else, who cannot tell what the API would show. */
export const readingRules: RefusalRules<ApiKind> = rulesFor(200, ({ status, isPage }) =>
  !isPage && unreadable.has(status) ? 'unreadable' : undefined,
)

/** An answer that makes no sense. */
export const unexpectedAnswer = (): ApiRefusal => new ApiRefusal('unexpected', words.unexpected)
