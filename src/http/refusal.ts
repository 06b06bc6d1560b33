/**
 * Why something did not come to a service, as any of them may say it.
 *
 * - `unreachable`: it was never sent; `no answer`: it may have been carried out; `busy` and `server`: try again later
 * - `access`, `address`: a person has to change something
 * - `refused`: this one thing was not taken
 */
export type UsualKind = 'unreachable' | 'no answer' | 'busy' | 'server' | 'access' | 'address' | 'refused'

const passing: ReadonlySet<string> = new Set<UsualKind>(['unreachable', 'no answer', 'busy', 'server'])

/**
 * A request that brought nothing, with kinds of the service's own besides the usual ones. The message goes on after the server's name, and
 * holds no text of the server and no secret.
 */
export abstract class Refusal<Kind extends string> extends Error {
  readonly kind: Kind | UsualKind
  readonly retryAfterMs: number | undefined

  constructor(kind: Kind | UsualKind, message: string, retryAfterMs?: number) {
    super(message)
    this.kind = kind
    this.retryAfterMs = retryAfterMs
  }

  /** The same may be taken a little later. */
  get mayPass(): boolean {
    return passing.has(this.kind)
  }

  /** It may have been carried out all the same. */
  get isUncertain(): boolean {
    return this.kind === 'no answer' || this.kind === 'server'
  }
}

/** Words for the kinds that are the same everywhere. */
export const usualWords = {
  unreachable: 'cannot be reached',
  'no answer': 'gave no answer',
  busy: 'was asked too often',
  server: 'is not able to answer at the moment',
  refused: 'did not take it',
} as const

const kindsByStatus: ReadonlyMap<number, UsualKind> = new Map([
  [403, 'access'],
  [404, 'address'],
  [405, 'address'],
  [408, 'no answer'],
  [425, 'busy'],
  [429, 'busy'],
])

/** What is wrong with an answer by its head; `undefined` where nothing is. A page in place of JSON is that of a proxy or a log-in. */
export function kindOfHead({ status, isPage }: AnswerHead): UsualKind | undefined {
  const isGood = status >= 200 && status < 300
  if (isGood && !isPage) return undefined
  if (isGood || (status >= 300 && status < 400)) return 'address'
  return kindsByStatus.get(status) ?? (status >= 500 ? 'server' : 'refused')
}

/** What an answer says before its body. */
export interface AnswerHead {
  readonly status: number
  /** It is a web page. */
  readonly isPage: boolean
}
