import { readLogin, removeLogin, type Login } from './credentials.ts'
import { LoginError, toLoginError } from './login-error.ts'
import { findProvider, type Network } from './provider.ts'

/** What came of a logout. */
export interface LogoutResult {
  readonly wasLoggedIn: boolean
  /** Why the provider did not revoke the login (RFC 7009); `undefined` where it did. */
  readonly notRevoked: string | undefined
}

/** Has the provider revoke the login, and forgets it whatever comes of that. */
export async function logOut(network: Network): Promise<LogoutResult> {
  let login: Login | undefined
  try {
    login = readLogin()
  } catch (error) {
    if (!(error instanceof LoginError)) throw error
    removeLogin()
    return { wasLoggedIn: true, notRevoked: error.message }
  }
  if (login === undefined) return { wasLoggedIn: false, notRevoked: undefined }
  removeLogin()
  try {
    await revoke(login, network)
    return { wasLoggedIn: true, notRevoked: undefined }
  } catch (error) {
    return {
      wasLoggedIn: true,
      notRevoked: toLoginError(error, new URL(login.settings.discoveryUrl).host).message,
    }
  }
}

async function revoke({ settings, accessToken, refreshToken }: Login, network: Network): Promise<void> {
  const { configuration, library } = await findProvider(settings, network)
  if (configuration.serverMetadata().revocation_endpoint === undefined) {
    throw new LoginError('the provider cannot revoke logins')
  }
  // With the one that renews, the provider revokes what came of it, too.
  const token = refreshToken ?? accessToken
  await library.tokenRevocation(configuration, token.reveal(), {
    token_type_hint: refreshToken === undefined ? 'access_token' : 'refresh_token',
  })
}
