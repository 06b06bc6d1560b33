import { ConfigError } from '../core/errors.ts'

/** Who logs people in, and what this program is called there. */
export interface ProviderSettings {
  /** Address of its discovery document (OpenID Connect Discovery 1.0). */
  readonly discoveryUrl: string
  readonly clientId: string
}

/** Those of CodeCarbon for Python 3.3. */
const usual: ProviderSettings = {
  discoveryUrl: 'https://authentication.codecarbon.io/realms/codecarbon/.well-known/openid-configuration',
  clientId: 'codecarbon-cli',
}

/**
 * `AUTH_SERVER_WELL_KNOWN` and `AUTH_CLIENT_ID`, as CodeCarbon for Python has them, else what it has by default.
 *
 * @throws ConfigError for an address that would let tokens be read on their way
 */
export function providerSettings(environment: NodeJS.ProcessEnv = process.env): ProviderSettings {
  const discoveryUrl = environment['AUTH_SERVER_WELL_KNOWN'] || usual.discoveryUrl
  if (!mayCarryTokens(discoveryUrl)) {
    throw new ConfigError(
      'AUTH_SERVER_WELL_KNOWN: expected the https address of a discovery document, or http on this machine',
    )
  }
  return { discoveryUrl, clientId: environment['AUTH_CLIENT_ID'] || usual.clientId }
}

/** Whether nobody on the way can read what is sent to an address. */
export function mayCarryTokens(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, hostname } = new URL(address)
  const isOwn = hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
  return protocol === 'https:' || (protocol === 'http:' && isOwn)
}
