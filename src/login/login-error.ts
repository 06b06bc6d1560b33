import { EnergyError } from '../core/errors.ts'
import { NoAnswer } from '../http/exchange.ts'

/** A login that did not come about or has ended (code `ERR_LOGIN_FAILED`). The message holds no token and no text of the provider. */
export class LoginError extends EnergyError {
  constructor(message: string) {
    super('ERR_LOGIN_FAILED', message)
    this.name = 'LoginError'
  }
}

/** Words for the codes of OAuth 2.0 (RFC 6749, 8628) that a person can do something about. */
const wordsByCode: ReadonlyMap<string, string> = new Map([
  ['access_denied', 'the login was refused'],
  ['expired_token', 'the code was not entered in time; run it again'],
  ['invalid_grant', 'the login has ended, was revoked or is not accepted; run: codecarbon login'],
  ['invalid_client', 'the provider does not know this client: check AUTH_CLIENT_ID'],
  ['unauthorized_client', 'the provider does not let this client log in that way'],
  ['unsupported_grant_type', 'the provider does not log in that way'],
  ['invalid_scope', 'the provider does not give access for a longer time (offline_access)'],
  ['OAUTH_TIMEOUT', 'the provider gave no answer in time'],
  [
    'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
    'the provider answered for another login (state, nonce or client do not match)',
  ],
  [
    'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
    'the answer of the provider is not valid now: check the clock of this machine',
  ],
  [
    'OAUTH_RESPONSE_IS_NOT_JSON',
    'there is no OpenID Connect provider at that address: check AUTH_SERVER_WELL_KNOWN',
  ],
  [
    'OAUTH_RESPONSE_IS_NOT_CONFORM',
    'there is no OpenID Connect provider at that address: check AUTH_SERVER_WELL_KNOWN',
  ],
])

/** What was wrong in a conversation with the provider of `host`, in words. */
export function toLoginError(error: unknown, host: string): LoginError {
  if (error instanceof LoginError) return error
  const chain = causesOf(error)
  const silence = chain.find((one) => one instanceof NoAnswer)
  if (silence !== undefined) return new LoginError(`${host} ${silence.message}`)
  const codes = chain.flatMap((one) => [fieldOf(one, 'error'), fieldOf(one, 'code')])
  const known = codes.find((code) => wordsByCode.has(code))
  const words = wordsByCode.get(known ?? '') ?? 'the provider answered in a way that is not understood'
  const facts = codes.find((code) => /^[A-Za-z_]{1,60}$/.test(code))
  return new LoginError(`${host}: ${words}${facts === undefined ? '' : ` (${facts})`}`)
}

function causesOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = []
  for (let one = error; one instanceof Error && chain.length < 5; one = one.cause) chain.push(one)
  return chain
}

function fieldOf(value: unknown, name: string): string {
  const field: unknown = (value as Record<string, unknown>)[name]
  return typeof field === 'string' ? field : ''
}
