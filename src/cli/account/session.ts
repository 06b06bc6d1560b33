import { AccountRefusal } from '../../codecarbon-api/account-refusal.ts'
import { createAccounts, type Accounts } from '../../codecarbon-api/accounts.ts'
import { systemClock } from '../../core/clock.ts'
import { EnergyError } from '../../core/errors.ts'
import { httpRequest } from '../../http/http-request.ts'
import { Secret } from '../../http/secret.ts'
import { holdProcess } from '../../integrations/comet/hold-process.ts'
import type { Network } from '../../login/provider.ts'

/** The network of this machine. */
export const network: Network = { fetch: httpRequest, clock: systemClock }

/** The API by a login. @throws LoginError */
export async function accountsByLogin(endpoint: string): Promise<Accounts> {
  const { accessTokenFor } = await import('../../login/access-token.ts')
  const secret = await accessTokenFor(endpoint, network)
  return createAccounts({ endpoint, credentials: { kind: 'login', secret }, ...network })
}

/** The API by a key. */
export const accountsByKey = (endpoint: string, key: string): Accounts =>
  createAccounts({ endpoint, credentials: { kind: 'key', secret: new Secret(key) }, ...network })

/**
 * Keeps the process alive while the network is waited for.
 *
 * @throws EnergyError ERR_API_REFUSED where the API did not do it, in the words of its refusal
 */
export async function converse<Value>(action: () => Promise<Value>, endpoint: string): Promise<Value> {
  const release = holdProcess()
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof AccountRefusal)) throw error
    const { host } = new URL(endpoint.trim())
    throw new EnergyError('ERR_API_REFUSED', `the CodeCarbon API at ${host} ${error.message}`)
  } finally {
    release()
  }
}
