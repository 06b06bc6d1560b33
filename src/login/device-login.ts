import type { TokenEndpointResponse } from 'openid-client'
import { scope } from './browser-login.ts'
import { LoginError, toLoginError } from './login-error.ts'
import { mayCarryTokens } from './provider-settings.ts'
import type { Provider } from './provider.ts'

/** Where to log in, on whatever device, and the code to enter there. */
export interface DeviceCode {
  readonly address: string
  readonly code: string
  /** An address that has the code in it, where the provider gives one. */
  readonly wholeAddress: string | undefined
}

/**
 * Logs in by another device (RFC 8628), where this one has no browser.
 *
 * @throws LoginError
 */
export async function logInByDevice(
  { configuration, library, host }: Provider,
  show: (device: DeviceCode) => void,
): Promise<TokenEndpointResponse> {
  if (configuration.serverMetadata().device_authorization_endpoint === undefined) {
    throw new LoginError(
      `${host} logs in by a browser only; run codecarbon login where there is one, or with --browser`,
    )
  }
  try {
    const device = await library.initiateDeviceAuthorization(configuration, { scope })
    const { verification_uri: address, verification_uri_complete: wholeAddress, user_code: code } = device
    if (!mayCarryTokens(address)) throw new LoginError(`${host} names an address that is not https`)
    show({ address, code, wholeAddress })
    return await library.pollDeviceAuthorizationGrant(configuration, device)
  } catch (error) {
    throw toLoginError(error, host)
  }
}
