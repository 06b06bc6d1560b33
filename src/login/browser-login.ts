import type { TokenEndpointResponse } from 'openid-client'
import type { Clock } from '../core/clock.ts'
import { listenForCallback } from './callback-server.ts'
import { LoginError, toLoginError } from './login-error.ts'
import type { Provider } from './provider.ts'

/** As CodeCarbon for Python asks: a token that can be renewed while nobody is there. */
export const scope = 'openid offline_access'

/** How {@link logInByBrowser} goes about it. */
export interface BrowserLoginOptions {
  /** Port of this machine that the browser comes back to. The provider has to know it. */
  readonly port: number
  /** Shows the user the address to log in at. */
  readonly show: (address: string) => void
  readonly clock: Clock
}

/** In which somebody has to have logged in, in milliseconds. */
const patienceMs = 5 * 60_000

/**
 * Logs in by a browser: authorisation code with PKCE (RFC 7636, S256), `state` and `nonce`, as RFC 8252 says for programs on a person's machine.
 *
 * @throws LoginError
 */
export async function logInByBrowser(
  { configuration, library, host }: Provider,
  { port, show, clock }: BrowserLoginOptions,
): Promise<TokenEndpointResponse> {
  const server = await listenForCallback(port)
  const end = new AbortController()
  const cancelTimer = clock.after(patienceMs, () => {
    end.abort(new LoginError(`nobody logged in within ${patienceMs / 60_000} minutes`))
  })
  try {
    const state = library.randomState()
    const nonce = library.randomNonce()
    const verifier = library.randomPKCECodeVerifier()
    const arrival = server.arrival(state, end.signal)
    const address = library.buildAuthorizationUrl(configuration, {
      redirect_uri: server.redirectUri,
      scope,
      state,
      nonce,
      code_challenge: await library.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    show(address.href)
    const browser = await arrival
    try {
      const answer = await library.authorizationCodeGrant(configuration, browser.address, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      })
      await browser.tell(true)
      return answer
    } catch (error) {
      await browser.tell(false)
      throw error
    }
  } catch (error) {
    throw toLoginError(error, host)
  } finally {
    cancelTimer()
    server.close()
  }
}
