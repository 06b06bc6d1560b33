import type { RefusalRules } from '../http/json-api.ts'
import { fieldsOf, type Answer } from '../http/json-api.ts'
import { kindOfHead, Refusal, usualWords } from '../http/refusal.ts'

/**
 * Why the CodeCarbon API did not carry out what a person asked for, besides the usual.
 *
 * - `credentials`: it does not know who asks; `missing`: there is no such thing; `invalid`: it does not take a field as it is
 * - `elsewhere`: it sends to another address; `page`: a web page in place of its answer
 * - `unexpected`: a success without what was asked for
 */
type AccountKind = 'credentials' | 'missing' | 'invalid' | 'elsewhere' | 'page' | 'unexpected'

/** A request about accounts that the CodeCarbon API did not carry out. */
export class AccountRefusal extends Refusal<AccountKind> {
  override readonly name = 'AccountRefusal'
}

/** What a request is sent with. */
export type Credentials = 'login' | 'key'

/** Words of refusals, which depend on what the request was sent with. */
export const accountRules = (credentials: Credentials): RefusalRules<AccountKind> => ({
  codeIn: fieldsRefused,
  kindOf(head) {
    const { status, isPage } = head
    if (status >= 300 && status < 400) return 'elsewhere'
    if (isPage && status < 500) return 'page'
    return kindsByStatus.get(status) ?? kindOfHead(head)
  },
  words: {
    ...usualWords,
    credentials:
      credentials === 'login'
        ? 'does not accept this login; run: codecarbon login'
        : 'wants a login for that, not an API key; run: codecarbon login',
    access:
      credentials === 'login'
        ? 'does not allow this user to do that: ask an administrator of the organisation'
        : 'does not allow that with this API key: check api_key, or run: codecarbon login',
    missing: 'knows no such organisation, project or experiment: check the ids',
    invalid: 'does not take these values: check names and ids',
    elsewhere: 'sends to another address, which credentials do not follow: check api_endpoint',
    page: 'is no CodeCarbon API, but a web page or a log-in of a network: check api_endpoint',
    address: 'does not know this request: check api_endpoint',
    unexpected: 'answered otherwise than the CodeCarbon API does: check api_endpoint',
  },
  Refusal: AccountRefusal,
})

const kindsByStatus: ReadonlyMap<number, AccountKind> = new Map([
  [401, 'credentials'],
  [404, 'missing'],
  [422, 'invalid'],
])

/** Names of the fields that a FastAPI server complains of, and nothing else of what it says. */
function fieldsRefused({ detail }: Answer): string | undefined {
  if (!Array.isArray(detail)) return undefined
  const names = detail.flatMap((entry) => {
    const { loc } = fieldsOf(entry)
    const name: unknown = Array.isArray(loc) ? loc.at(-1) : undefined
    return typeof name === 'string' && /^[a-z_]{1,40}$/.test(name) ? [name] : []
  })
  return names.length === 0 ? undefined : names.join(', ')
}
